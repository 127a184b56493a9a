"""OpenVINO computes what the network computes, for tiles of any size and from several threads."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from upres.errors import MissingExtra
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srcnn import SRCNNSettings
from upres.networks.srresnet import SRResNetSettings
from upres.upscaling.openvino_network import import_openvino, openvino_forward
from upres.weights.model import load_model

needs_openvino = pytest.mark.usefixtures("_openvino")
SMALL = CompactSettings(width=8, convs=1)


@pytest.fixture
def _openvino():
    pytest.importorskip("openvino", reason="OpenVINO is the extra `export`")


@needs_openvino
@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        (SMALL, 4),
        (CompactSettings(width=8, convs=1, skip="bicubic"), 3),
        (SRCNNSettings(), 3),
        (SRResNetSettings(blocks=1), 4),
        (MSRResNetSettings(blocks=1), 3),
        (RRDBNetSettings(blocks=1, width=8, growth=4), 2),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_every_network_gives_its_own_values_for_any_size(settings, scale):
    network = build_generator(settings, scale, seed=3).eval()
    forward = openvino_forward(network, "float32")
    for number, size in enumerate([(1, 1), (5, 18), (33, 7)]):
        lr = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(number))
        with torch.inference_mode():
            expected = network(lr)
        assert torch.allclose(forward(lr), expected, atol=1e-5), size


@needs_openvino
def test_the_shipped_model_is_right_in_bf16_down_to_one_pixel():
    network = load_model("compact-x4").network
    forward = openvino_forward(network, "bf16")
    for size in [(1, 1), (1, 2), (2, 1), (3, 5)]:
        lr = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            levels = 255 * (forward(lr) - network(lr)).abs().max()
        assert levels < 2, size  # the weights' 8 bits; what is wrong is wrong by thousands


@needs_openvino
def test_the_plain_enlargement_is_added_in_float32():
    network = build_generator(SMALL, 2, seed=0).eval()
    torch.nn.init.zeros_(network.body[-1].weight)  # so all that is left is the enlargement
    lr = torch.full((1, 3, 6, 6), 0.9982)  # lies between two values of bf16
    assert torch.equal(openvino_forward(network, "bf16")(lr), lr.repeat(1, 1, 2, 2))
    assert network.skip == "nearest"


@needs_openvino
def test_a_network_in_training_is_taken_as_it_judges_and_left_as_it_is():
    network = build_generator(SRResNetSettings(blocks=1), 2, seed=0).train()
    lr = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    given = openvino_forward(network, "float32")(lr)
    assert network.training
    with torch.inference_mode():
        expected = network.eval()(lr)
    assert torch.allclose(given, expected, atol=1e-5)


@needs_openvino
def test_several_threads_get_the_pictures_of_one():
    network = build_generator(SMALL, 2, seed=0).eval()
    forward = openvino_forward(network, "float32")
    draws = torch.Generator().manual_seed(0)
    pictures = [torch.rand(1, 3, 24 + n % 3, 32, generator=draws) for n in range(24)]
    alone = [forward(lr) for lr in pictures]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(forward, pictures))
    assert all(map(torch.equal, alone, together))


@needs_openvino
def test_a_pixel_first_tile_is_read_as_it_lies():
    network = build_generator(SMALL, 2, seed=0).eval()
    lr = torch.rand(1, 9, 5, 3, generator=torch.Generator().manual_seed(0)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        assert torch.allclose(openvino_forward(network, "float32")(lr), network(lr), atol=1e-5)


@needs_openvino
def test_nobody_is_told_that_openvino_is_used():
    program = (
        "import sys\n"
        "from upres.upscaling.openvino_network import import_openvino\n"
        "import_openvino()\n"
        "import openvino.tools.ovc.telemetry_utils as told\n"
        "assert told.tm.__name__.endswith('telemetry_stub'), told.tm\n"
        "assert 'openvino_telemetry' not in sys.modules\n"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr


def test_without_openvino_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtra) as raised:
        import_openvino()
    assert str(raised.value) == (
        "OpenVINO as backend or target needs the package openvino, which is not installed: "
        "run `pip install 'upres[export]'`."
    )
