"""Protocols in words."""

import pytest

from upres.evaluation.protocol_text import border_words, explained, listed
from upres.evaluation.protocols import PROTOCOLS, get_protocol


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_says_all_its_conditions(name):
    protocol = get_protocol(name)
    text = explained(protocol)
    assert text.startswith(f"protocol       {name}: ")
    heads = [line[:15].strip() for line in text.splitlines() if line[:15].strip()]
    shared = ["protocol", "whose numbers", "HR", "LR", "row `bicubic`", "SR", "compared"]
    assert heads[:12] == [*shared, "border", "PSNR", "SSIM", "a set", *heads[11:12]]
    assert max(map(len, text.splitlines())) <= 96
    assert text.isascii()
    assert listed(protocol).startswith(f"{name:<12}")
    assert max(map(len, listed(protocol).splitlines())) <= 100


def test_borders_are_said_in_terms_of_the_scale():
    words = {name: border_words(get_protocol(name)) for name in ("sr-y", "ntire", "srgan")}
    assert words == {"sr-y": "scale", "ntire": "scale + 6", "srgan": "4"}


def test_what_tells_protocols_apart_is_in_their_words():
    def lines(name, head):
        return explained(get_protocol(name)).split(f"\n{head:<15}")[1].split("\n")[0]

    assert "not rounded" in lines("sr-y-float", "compared")
    assert "rounded to whole numbers" in lines("sr-y", "compared")
    assert "the three channels" in lines("sr-rgb", "compared")
    assert lines("srcnn", "SR").endswith("luma alone")
    assert lines("vdsr", "SR").endswith("luma alone, clamped to 16..235")
    assert lines("selfexsr", "LR").startswith("the older MATLAB's bicubic on 8-bit pictures")
    assert lines("srgan", "SSIM").startswith("daala's dump_ssim: Gaussian whose sigma")
    assert "over its channels at once" in lines("ntire", "PSNR")
    assert lines("paper-a", "row `bicubic`").startswith("OpenCV's INTER_CUBIC: a = -0.75")
    assert lines("sr-y+given-lr", "LR") == "files as they are, however they were made"
    assert lines("vdsr", "to check") == "bicubic on Set5 x4: 28.4211 dB, SSIM 0.81040"
    assert "to check" not in explained(get_protocol("ntire"))
