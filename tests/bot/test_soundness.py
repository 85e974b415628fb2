"""Only what loads is called ready: whole files, of a kind that is known, whose tokenizer and model are of one piece."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.bases import quantized
from bot.bases.base import content_digest, fingerprint, load_base
from bot.bases.check import check
from bot.bases.soundness import INDEX, check_files
from bot.types import BaseSpec, EngineError
from tests import tiny as makers

WEIGHTS = "model.safetensors"
MARKED = "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 269060552\n"


@pytest.fixture
def base(tiny: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny, tmp_path / "base", ignore=shutil.ignore_patterns(".*"))


def cut(base: Path) -> None:
    raw = (base / WEIGHTS).read_bytes()
    (base / WEIGHTS).write_bytes(raw[: len(raw) // 2])


def longer(base: Path) -> None:
    with (base / WEIGHTS).open("ab") as file:
        file.write(b"more")


def shard(name: str) -> Callable[[Path], None]:
    def change(base: Path) -> None:
        (base / WEIGHTS).rename(base / "model-00001-of-00002.safetensors")
        (base / INDEX).write_text(json.dumps({"weight_map": {"model.norm.weight": name}}))

    return change


def config(**changes: object) -> Callable[[Path], None]:
    def change(base: Path) -> None:
        body = json.loads((base / "config.json").read_text()) | changes
        (base / "config.json").write_text(json.dumps(body))

    return change


def header(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    """Let *change* work on the list of tensors."""

    def harm(base: Path) -> None:
        raw = (base / WEIGHTS).read_bytes()
        length = int.from_bytes(raw[:8], "little")
        body = json.loads(raw[8 : 8 + length])
        change(next(entry for name, entry in body.items() if name != "__metadata__"))
        text = json.dumps(body).encode()
        (base / WEIGHTS).write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])

    return harm


def long_header(base: Path) -> None:
    with (base / WEIGHTS).open("wb") as file:
        file.write((17 * 2**20).to_bytes(8, "little"))
        file.truncate(18 * 2**20)


def write(name: str, text: str) -> Callable[[Path], None]:
    def change(base: Path) -> None:
        (base / name).write_text(text)

    return change


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (cut, "is incomplete"),
        (longer, "belong to no tensor"),
        (write(WEIGHTS, LFS), "Git LFS"),
        (write("tokenizer.json", LFS), "Git LFS"),
        (write(WEIGHTS, ""), "not a safetensors file"),
        (write("config.json", "[" * 100_000), "not valid JSON"),
        (write("config.json", "[]"), "not a JSON object"),
        (shard("model-00002-of-00002.safetensors"), "is missing"),
        (shard("../model.safetensors"), "not a file of weights"),
        (config(quantization_config={"quant_method": "gptq", "bits": 4}), "quantized already, by gptq"),
        (config(quantization_config={"quant_method": "awq"}), "quantized already, by awq"),
        (config(num_hidden_layers=10**12), "no base has"),
        (config(vocab_size=10**12), "no base has"),
        (header(lambda entry: entry.update({"data_offsets": [-4, 0]})), "list of tensors"),
        (header(lambda entry: entry.update({"data_offsets": [0.5, 8.5]})), "list of tensors"),
        (header(lambda entry: entry.update({"shape": [10**4000] * 2000})), "list of tensors"),
        (long_header, "not a safetensors file"),
        (write("adapter_config.json", "{}"), "contains an adapter"),
        (
            lambda base: (base / "config.json").write_text((base / "config.json").read_text(), "utf-8-sig"),
            "not valid JSON",
        ),
        (
            lambda base: (base / "config.json").write_text((base / "config.json").read_text(), "utf-16"),
            "not valid JSON",
        ),
        (config(vocab_size=20), "the model knows only 20"),
    ],
)
def test_what_would_not_load_is_said_to_be_unfit(base: Path, change: Callable[[Path], None], word: str) -> None:
    check_files(base)
    change(base)
    with pytest.raises(EngineError) as caught:
        check_files(base)
    assert caught.value.kind == "base-missing"
    assert word in caught.value.sentence


def test_a_base_that_is_not_the_one_that_was_set_up_is_refused(base: Path) -> None:
    digest = content_digest(base)
    fingerprint(BaseSpec(str(base), "fp32", digest))
    config(rope_theta=5.0)(base)
    with pytest.raises(EngineError, match="not the ones you set up"):
        fingerprint(BaseSpec(str(base), "fp32", digest))


@pytest.mark.parametrize("code", ["while True: pass", "'x' * 2**33", "[0] * 2**31"])
def test_what_never_ends_or_eats_memory_is_ended(code: str) -> None:
    """In a process of its own: the test's own clock is the signal that the guard would use."""
    script = (
        "from bot.bases.template_limits import guarded\nfrom bot.types import EngineError\n"
        f"try:\n    with guarded(0.5, 2**28):\n        {code}\n"
        "except EngineError as error: print(error.kind)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "base-missing\n"


def test_an_adapter_that_is_put_beside_a_base_later_does_not_change_what_answers(base: Path, tmp_path: Path) -> None:
    """transformers would load the base that the adapter names, and the digest of this one's files would still agree."""
    other = makers.make(tmp_path / "other", seed=5)
    spec = BaseSpec(str(base), "fp32", content_digest(base))
    adapter = makers.make_adapter(other, tmp_path / "adapter")
    shutil.copytree(adapter, base, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.safetensors"))
    (base / "adapter_model.safetensors").unlink(missing_ok=True)
    with pytest.raises(EngineError, match="contains an adapter"):
        load_base(spec)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "dangling"])
def test_what_is_no_plain_file_is_not_read(base: Path, kind: str) -> None:
    """A pipe is never at its end, and neither is /dev/zero."""
    before = content_digest(base, anew=True)
    for name in ("other.safetensors", "vocab.json"):
        path = base / name
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to("/dev/zero" if kind == "device" else base / "nowhere")
    assert content_digest(base, anew=True) == content_digest(base) == before


@pytest.mark.parametrize("file", [WEIGHTS, "tokenizer.json", "config.json"])
def test_an_exchanged_file_is_found_whatever_its_size_and_its_time_say(base: Path, file: str) -> None:
    spec = BaseSpec(str(base), "fp32", content_digest(base))
    fingerprint(spec)
    facts = (base / file).stat()
    raw = bytearray((base / file).read_bytes())
    raw[-2] ^= 1
    (base / file).write_bytes(raw)
    os.utime(base / file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert (base / file).stat().st_mtime_ns == facts.st_mtime_ns
    assert (base / file).stat().st_size == facts.st_size
    assert content_digest(base, anew=True) != spec.digest
    with pytest.raises(EngineError, match="not the ones you set up"):
        fingerprint(spec)


def test_a_quantized_copy_that_was_changed_is_not_used(base: Path) -> None:
    spec = BaseSpec(str(base), "nf4", content_digest(base))
    load_base(spec)
    (copy,) = (path for path in (base / ".nf4").iterdir() if path.is_dir())
    assert quantized.is_whole(copy)
    facts = (copy / WEIGHTS).stat()
    raw = bytearray((copy / WEIGHTS).read_bytes())
    raw[-1] ^= 1
    (copy / WEIGHTS).write_bytes(raw)
    os.utime(copy / WEIGHTS, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert not quantized.is_whole(copy)
    load_base(spec)  # writes it anew
    assert quantized.is_whole(copy)
    assert (copy / WEIGHTS).read_bytes() != bytes(raw)


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("", "leaves out what the customer says"),
        ("Good day.<|im_end|>", "leaves out what the customer says"),
        ("{% include '/etc/passwd' %}" + MARKED, "chat format"),
        ("{{ ''.__class__.__mro__ }}" + MARKED, "unsafe"),
        ("{{ cycler.__init__.__globals__ }}" + MARKED, "unsafe"),
        ("{% for m in messages %}{{ m['role'] }", "chat format"),
    ],
)
def test_a_template_is_tried_with_one_exchange(base: Path, template: str, word: str) -> None:
    check(base)
    (base / "chat_template.jinja").write_text(template)
    with pytest.raises(EngineError) as caught:
        check(base)
    assert word in caught.value.sentence
