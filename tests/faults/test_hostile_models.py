"""Model files are passed around by strangers: opening one runs no code and takes little memory."""

import json
import os
import pickle
import resource
import struct

import pytest
import torch

from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import DenseUNetArguments
from napari_veinseg.model.file import CARD_KEY, read_card, read_model
from napari_veinseg.model.store import import_model
from tests.faults.conftest import times
from tests.faults.fuzzing import altered, damaged, is_short_sentence, throw
from tests.model.test_file import edit_card, join, split
from tests.models import write_small_model

HEAD = "core.stem.conv.weight"


@pytest.fixture
def file(tmp_path):
    return write_small_model(tmp_path / "model.safetensors")


class Attack:
    def __reduce__(self):
        return os.system, (f"touch {os.environ['ATTACKED']}",)


def is_a_pickle(path):
    path.write_bytes(pickle.dumps(Attack()))


def is_a_torch_file(path):
    torch.save({"weights": Attack()}, path)


def has_a_pickle_for_a_card(path):
    header, weights = split(path)
    header["__metadata__"][CARD_KEY] = pickle.dumps(Attack(), 0).decode("latin1")
    join(path, header, weights)


def says_1_tb_of_header(path):
    path.write_bytes(struct.pack("<Q", 10**12) + path.read_bytes()[8:])


def has_100_mb_of_card(path):
    edit_card(path, description="x" * 100_000_000)


def changing(**entry):
    def change(path):
        header, weights = split(path)
        header[HEAD] |= entry
        join(path, header, weights)

    return change


def overlaps(path):
    header, weights = split(path)
    names = [name for name in header if name != "__metadata__"]
    header[names[1]]["data_offsets"] = header[names[0]]["data_offsets"]
    join(path, header, weights)


def has_integers_for_weights(path):
    header, weights = split(path)
    header[HEAD]["dtype"] = "I32"
    join(path, header, weights)


def asks_for_a_huge_network(path):
    huge = DenseUNetArguments(growth_rate=128, layers=(32, 32, 32), stem_channels=1024)
    edit_card(path, network=huge.model_dump(mode="json"))


def asks_for_a_huge_activation(path):
    card = json.loads(split(path)[0]["__metadata__"][CARD_KEY])
    edit_card(path, network=card["network"] | {"act": ["prelu", {"num_parameters": 10**11}]})


def hides_code_for_a_bundle(**arguments):
    def change(path):  # which MONAI would run out of an exported `inference.json`
        card = json.loads(split(path)[0]["__metadata__"][CARD_KEY])
        edit_card(path, network=card["network"] | arguments)

    return change


def has_an_endless_version(path):
    header, weights = split(path)
    header["__metadata__"][CARD_KEY] = '{"format_version": Infinity}'
    join(path, header, weights)


def has_a_field_with_a_huge_name(path):
    card = json.loads(split(path)[0]["__metadata__"][CARD_KEY])
    edit_card(path, network=card["network"] | {"\n" + "x" * 10**6: 1})


ATTACKS = [
    is_a_pickle,
    is_a_torch_file,
    has_a_pickle_for_a_card,
    says_1_tb_of_header,
    has_100_mb_of_card,
    overlaps,
    changing(data_offsets=[0, 10**15]),
    changing(data_offsets=[-8, 64]),
    changing(data_offsets=[0, 1e400]),
    changing(shape=[2**40, 2**40]),
    changing(shape=[-1]),
    changing(shape="wide"),
    changing(dtype="BOOL"),
    changing(dtype="F8"),
    has_integers_for_weights,
    asks_for_a_huge_network,
    asks_for_a_huge_activation,
    hides_code_for_a_bundle(act=["relu", {"inplace": "$__import__('os').getpid()"}]),
    hides_code_for_a_bundle(norm=["batch", {"affine": {"_target_": "os.getpid"}}]),
    hides_code_for_a_bundle(norm=["batch", {"affine": ["$__import__('os').getpid()"]}]),
    has_an_endless_version,
    has_a_field_with_a_huge_name,
]


@pytest.mark.parametrize("attack", range(len(ATTACKS)))
def test_a_hostile_model_is_refused_in_one_sentence(file, tmp_path, monkeypatch, attack):
    monkeypatch.setenv("ATTACKED", str(tmp_path / "attacked"))
    ATTACKS[attack](file)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(VeinSegError) as caught:
        read_model(file)
    assert is_short_sentence(str(caught.value))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize("name", ["../out", "/out", "a/b", "..", "a\\b", "x\0y", ".hidden", "con:"])
def test_no_name_leads_out_of_the_models_folder(file, models_folder, tmp_path, name):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(VeinSegError, match="cannot be called"):
        import_model(file, name)
    assert sorted(tmp_path.iterdir()) == before


def test_names_within_a_card_are_only_shown(file, models_folder):
    edit_card(file, name="../../out", parent="/etc/passwd", licence="=1+1")
    assert import_model(file).path.parent == models_folder
    assert read_card(file).parent == "/etc/passwd"


def test_damaged_models(file, tally):
    content, target = file.read_bytes(), file.with_name("fuzzed.safetensors")
    (length,) = struct.unpack("<Q", content[:8])

    def read(start: bytes) -> None:
        target.write_bytes(start + content[8 + length :])
        read_model(target)

    throw(damaged(content[: 8 + length]), times(40, 300), read, tally)


def test_altered_headers(file, tally):
    header, weights = split(file)
    target = file.with_name("fuzzed.safetensors")

    def read(changed) -> None:
        join(target, changed, weights)
        read_model(target)

    throw(altered(header), times(40, 300), read, tally)


def test_altered_cards(file, tally):
    header, weights = split(file)
    card = json.loads(header["__metadata__"][CARD_KEY])
    target = file.with_name("fuzzed.safetensors")

    def read(changed) -> None:
        header["__metadata__"][CARD_KEY] = json.dumps(changed)
        join(target, header, weights)
        read_model(target)

    throw(altered(card), times(40, 400), read, tally)
