import pytest
import torch

from deepred.train.loss import chunked_cross_entropy


def both(tokens=37, width=16, vocabulary=50, z_loss=0.0, ignored=0, chunk=8):
    """Loss and gradients (hidden, head) in chunks, and with all logits at once."""
    torch.manual_seed(0)
    targets = torch.randint(vocabulary, (tokens,))
    targets[:ignored] = -100
    found = []
    for chunked in (True, False):
        torch.manual_seed(1)
        hidden = torch.randn(tokens, width, requires_grad=True)
        head = torch.randn(vocabulary, width, requires_grad=True)
        if chunked:
            loss = chunked_cross_entropy(hidden, head, targets, z_loss, chunk)
        else:
            logits = hidden @ head.T
            norms = logits.logsumexp(1)[targets != -100]
            loss = torch.nn.functional.cross_entropy(logits, targets) + z_loss * (norms**2).mean()
        (3 * loss).backward()
        found.append((loss.detach(), hidden.grad, head.grad))
    return zip(*found, strict=True)


@pytest.mark.parametrize("z_loss", [0.0, 1e-2])
@pytest.mark.parametrize("ignored", [0, 5])
@pytest.mark.parametrize("chunk", [1, 8, 1000])
def test_loss_and_gradients_equal_those_of_full_logits(z_loss, ignored, chunk):
    for ours, reference in both(z_loss=z_loss, ignored=ignored, chunk=chunk):
        assert (ours - reference).norm() <= 1e-6 * reference.norm()


def test_no_valid_target_gives_zero_and_no_nan():
    hidden = torch.randn(4, 8, requires_grad=True)
    loss = chunked_cross_entropy(hidden, torch.randn(10, 8), torch.full((4,), -100))
    loss.backward()
    assert loss.item() == 0
    assert hidden.grad.abs().sum() == 0


def test_a_frozen_head_gets_no_gradient():
    hidden, head = torch.randn(4, 8, requires_grad=True), torch.randn(10, 8)
    chunked_cross_entropy(hidden, head, torch.tensor([1, 2, 3, 4])).backward()
    assert head.grad is None
    assert hidden.grad is not None


def test_gradients_pass_a_numerical_check():
    torch.manual_seed(0)
    hidden = torch.randn(5, 4, requires_grad=True)
    head = torch.randn(7, 4)
    targets = torch.tensor([0, 6, -100, 3, 3])
    loss = chunked_cross_entropy(hidden, head, targets, 0.1, 2)
    loss.backward()
    step = torch.zeros_like(hidden)
    step[3, 2] = 1e-2
    with torch.no_grad():
        up = chunked_cross_entropy(hidden + step, head, targets, 0.1, 2)
        down = chunked_cross_entropy(hidden - step, head, targets, 0.1, 2)
    assert ((up - down) / 2e-2).item() == pytest.approx(hidden.grad[3, 2].item(), rel=1e-2)
