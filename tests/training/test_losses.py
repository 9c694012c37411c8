import pytest
import torch
from monai.losses.cldice import soft_skel

from napari_veinseg.training.losses import SKELETON_STEPS, vein_loss


def truth() -> tuple[torch.Tensor, torch.Tensor]:
    vein, known = torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    vein[..., 6:10, :] = 1
    known[..., :, 8:] = 0
    return vein, known


@pytest.mark.parametrize("cldice", [0.0, 0.5])
@pytest.mark.parametrize("extreme", [0.0, 1e4, float("inf"), float("nan")])
def test_unsure_pixels_have_no_influence_at_all(cldice, extreme):
    vein, known = truth()
    logits = torch.randn(1, 1, 16, 16, generator=torch.manual_seed(0))
    logits[..., 8:] += extreme
    logits.requires_grad_()
    loss = vein_loss(logits, vein, known, cldice)
    loss.backward()
    assert torch.isfinite(loss)
    assert (logits.grad[..., 8:] == 0).all()
    assert (logits.grad[..., :8] != 0).any()
    # What stands in the mask there does not matter either.
    vein[..., 8:] = 1 - vein[..., 8:]
    assert vein_loss(logits, vein, known, cldice) == loss


@pytest.mark.parametrize("cldice", [0.0, 1.0])
def test_a_right_answer_costs_nothing_and_a_wrong_one_much(cldice):
    vein, known = truth()
    right = (vein * 2 - 1) * 20
    assert vein_loss(right, vein, known, cldice) < 0.01
    assert vein_loss(-right, vein, known, cldice) > 5


def test_nothing_known_is_nothing_learned():
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    vein_loss(logits, torch.ones(1, 1, 8, 8), torch.zeros(1, 1, 8, 8), 1.0).backward()
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("half_width", [2, SKELETON_STEPS - 1])
def test_the_soft_skeleton_of_a_bar_is_its_middle(half_width):
    bar = torch.zeros(1, 1, 15, 40)
    bar[..., 7 - half_width : 8 + half_width, 4:36] = 1
    skeleton = soft_skel(bar, SKELETON_STEPS)[0, 0]
    assert (skeleton[7, 4 + 2 * half_width : 36 - 2 * half_width] == 1).all()
    # Beside the middle it is only near the ends.
    assert skeleton[:7].sum() + skeleton[8:].sum() < 4 * half_width


def test_cldice_punishes_a_gap_more_than_a_thin_vein():
    vein, known = torch.zeros(1, 1, 16, 32), torch.ones(1, 1, 16, 32)
    vein[..., 5:10, :] = 1
    gap, thin = vein.clone(), vein.clone()
    gap[..., :, 14:18] = 0  # 20 px
    thin[..., 5, 12:32] = 0  # 20 px
    cost = [vein_loss((mask * 2 - 1) * 9, vein, known, 1.0) for mask in (gap, thin)]
    assert cost[0] > cost[1]
