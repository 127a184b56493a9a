"""Protocols: their names, what they say, and how they make LR."""

import numpy as np
import pytest
from pydantic import ValidationError

from upres.errors import BadSetting
from upres.evaluation.protocols import PROTOCOLS, Protocol, get_protocol, make_lr, with_given_lr
from upres.images.resize import shrink

HR = np.random.default_rng(0).integers(0, 256, (26, 39, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_found_under_its_name(name):
    assert get_protocol(name).name == name


def test_the_two_protocols_differ_in_the_rounding_of_luma_alone():
    rounded, exact = get_protocol("sr-y"), get_protocol("sr-y-float")
    different = {k for k, v in rounded.model_dump().items() if exact.model_dump()[k] != v}
    assert different == {"name", "y_rounded", "explanation", "used_by"}
    assert rounded.y_rounded


def test_the_border_is_the_scale_or_what_the_protocol_says():
    borders = {name: get_protocol(name).border_pixels(3) for name in PROTOCOLS}
    assert borders == dict.fromkeys(PROTOCOLS, 3) | {
        "srgan": 4,
        "ntire": 9,
        "paper-a": 0,
        "paper-b": 0,
    }
    assert get_protocol("sr-y").least_side(4) == 11 + 2 * 4


@pytest.mark.parametrize("name", ["srcnn", "vdsr"])
def test_an_lr_in_floats_cannot_be_given(name):
    with pytest.raises(BadSetting, match="makes its LR in floats, so no file can give it"):
        with_given_lr(get_protocol(name))


def test_luma_that_is_enlarged_alone_is_what_is_compared():
    fields = get_protocol("srcnn").model_dump()
    with pytest.raises(ValidationError, match="space must be y and y_rounded true"):
        Protocol.model_validate({**fields, "y_rounded": False})


def test_given_lr_is_another_protocol_with_another_name():
    given = with_given_lr(get_protocol("sr-y"))
    assert given.name == "sr-y+given-lr"
    assert given.given_lr
    assert with_given_lr(given) == given
    assert get_protocol("sr-y+given-lr") == given


def test_lr_is_made_after_cropping():
    protocol = get_protocol("sr-y-float")
    assert (make_lr(HR, protocol, 4) == shrink(HR[:24, :36], 4, "matlab")).all()


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(BadSetting, match=r"no protocol 'sr-y-flot'; did you mean 'sr-y-float'"):
        get_protocol("sr-y-flot")


def test_a_protocol_is_frozen_and_knows_no_other_fields():
    with pytest.raises(ValidationError, match="frozen"):
        get_protocol("sr-y").name = "mine"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="crop"):
        Protocol(**get_protocol("sr-y").model_dump(), crop=4)
