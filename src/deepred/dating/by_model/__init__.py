"""A model as a source of dates: asked, answered, measured."""
