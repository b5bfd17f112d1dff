"""When things became known: date expressions, dated facts, and the evidence that dates an article."""
