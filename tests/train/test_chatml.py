from deepred.train.chatml import answer_spans, render

TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Good day."},
    {"role": "user", "content": "And?"},
    {"role": "assistant", "content": "Nothing."},
]


def test_spans_hold_every_answer_with_its_end_and_nothing_else():
    text = render(TALK)
    assert [text[start:end] for start, end in answer_spans(TALK)] == ["Good day.<|im_end|>", "Nothing.<|im_end|>"]


def test_a_conversation_is_rendered_turn_by_turn():
    assert render(TALK[:2]) == "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
