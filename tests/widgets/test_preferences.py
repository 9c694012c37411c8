"""The settings in napari's preferences: found, obeyed, and missing without harm."""

from dataclasses import asdict, replace
from types import SimpleNamespace

import napari.settings
import pytest
from npe2 import PluginManifest

from napari_veinseg.correction.autosave import SECONDS_BETWEEN_SAVES
from napari_veinseg.segmentation.runtimes import devices
from napari_veinseg.segmentation.runtimes.devices import DeviceChoice
from napari_veinseg.segmentation.vein_model import VeinModel
from napari_veinseg.widgets.common import engine, model_choice
from napari_veinseg.widgets.common.jobs import Reporter
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.common.preferences import GROUP, PLUGIN, Preferences, preferences
from napari_veinseg.widgets.correct import autosaver
from napari_veinseg.widgets.correct.autosaver import Autosaver


def test_the_manifest_has_the_same_settings_and_defaults():
    manifest = PluginManifest.from_distribution(PLUGIN)
    properties = manifest.contributions.configurations[GROUP].properties
    assert {name: each.default for name, each in properties.items()} == asdict(Preferences())
    assert all(each.description for each in properties.values())


def test_napari_gives_what_was_set(make_napari_viewer):
    make_napari_viewer()
    settings = getattr(napari.settings.get_plugin_settings(PLUGIN), GROUP)
    settings.autosave_seconds = 2.5
    try:
        assert preferences() == Preferences(autosave_seconds=2.5)
    finally:
        settings.autosave_seconds = SECONDS_BETWEEN_SAVES


@pytest.mark.parametrize("fault", [KeyError, AttributeError, ImportError])
def test_without_settings_the_defaults_hold(monkeypatch, fault):
    def missing(_plugin):
        raise fault

    monkeypatch.setattr(napari.settings, "get_plugin_settings", missing)
    assert preferences() == Preferences()


@pytest.mark.parametrize(("asked", "chosen"), [("mine", "mine"), ("gone", "starter")])
def test_the_default_model_is_chosen_where_it_exists(qtbot, monkeypatch, tmp_path, asked, chosen):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.safetensors").touch()
    monkeypatch.setattr(model_choice, "preferences", lambda: Preferences(model=asked))
    choice = ModelChoice()
    qtbot.addWidget(choice)
    assert choice.name == chosen


def test_the_autosave_interval_follows_the_preferences(viewer, qapp, monkeypatch):
    wish = Preferences(autosave_seconds=2)
    monkeypatch.setattr(autosaver, "preferences", lambda: wish)
    saver = Autosaver(viewer, qapp)
    assert saver._timer.interval() == 2000
    wish = replace(wish, autosave_seconds=6)
    saver.save()
    assert saver._timer.interval() == 6000
    saver.stop()


@pytest.mark.parametrize(
    ("wish", "name", "reason"),
    [
        ("auto", "cpu", "nothing better"),
        ("cpu", "cpu", "preferences"),
        ("cuda", "cpu", "'cuda' is not available"),
    ],
)
def test_the_device_is_the_wish_or_says_why_not(monkeypatch, wish, name, reason):
    monkeypatch.setattr(engine, "_device", None)
    monkeypatch.setattr(engine, "_wish", "auto")
    monkeypatch.setattr(engine, "preferences", lambda: Preferences(device=wish))
    only_cpu = [DeviceChoice("cpu", "CPU", "nothing better")]
    monkeypatch.setattr(devices, "available_devices", lambda: only_cpu)
    device = engine.load_torch(Reporter(lambda _news: None))
    assert device.name == name
    assert reason in device.reason


def test_a_model_that_left_its_device_for_want_of_memory_goes_back(monkeypatch, tmp_path):
    loaded = []

    def load(_path, _device):
        loaded.append(SimpleNamespace(runtime=SimpleNamespace(place="cuda")))
        return loaded[-1]

    monkeypatch.setattr(VeinModel, "load", load)
    monkeypatch.setattr(engine, "_model", None)
    monkeypatch.setattr(
        engine, "load_torch", lambda _reporter: DeviceChoice("cuda", "GPU", "there")
    )
    path = tmp_path / "m.safetensors"
    path.touch()
    reporter = Reporter(lambda _news: None)
    first = engine.load_model(path, reporter)
    assert engine.load_model(path, reporter) is first
    first.runtime.place = "cpu"
    assert engine.load_model(path, reporter) is loaded[1]
