"""Archives, adapters, bases and requests as somebody makes them who wants in, and texts that have to go for good."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.adapters import sha256_of
from store.backup import LIST
from tests.true.outside import Site

Entries = dict[str, bytes]


# -- archives --------------------------------------------------------------------------------------
def archive(site: Site) -> None:
    """A backup that passed through other hands: restored it is a sound desk that runs nothing, or it is refused."""
    site.prepare()
    honest = site.root / "honest.tar"
    site.run("backup", honest)
    forged = site.root / "forged.tar"
    how = site.chance.choice([_flipped, _cut, _renamed, _linked, _with_trigger, _with_view, _with_bad_cell, _twice])
    how(site, honest, forged)
    target = site.root / "restored"
    done = site.run("restore", forged, home=target, check=False)
    left = sorted(path.name for path in site.root.iterdir())
    assert not [name for name in left if name.startswith((".restored", ".deskloop-"))], (how.__name__, left)
    if done.returncode:
        assert not target.exists(), how.__name__
    else:
        database = sqlite3.connect(target / "desk.db")
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        database.close()
        assert not names & {"evil", "stolen"}, how.__name__
        site.run("doctor", home=target, check=False)
        site.run("pairs", "list", home=target)
    site.check()


def _entries(path: Path) -> Entries:
    with tarfile.open(path) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar if info.isreg()}  # type: ignore[union-attr]


def _pack(entries: Entries, target: Path, extra: list[tarfile.TarInfo] | None = None) -> None:
    """A tar whose list is true to what it holds: whoever forges a backup can count, too."""
    head = json.loads(entries.pop(LIST))
    head["files"] = [
        {"name": name, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()} for name, body in entries.items()
    ]
    with tarfile.open(target, "w") as tar:
        for name, body in [(LIST, json.dumps(head).encode()), *entries.items()]:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
        for info in extra or []:
            tar.addfile(info)


def _flipped(site: Site, honest: Path, forged: Path) -> None:
    body = bytearray(honest.read_bytes())
    for _ in range(site.chance.choice([1, 4, 64])):
        body[site.chance.randrange(len(body))] ^= 1 << site.chance.randrange(8)
    forged.write_bytes(body)


def _cut(site: Site, honest: Path, forged: Path) -> None:
    body = honest.read_bytes()
    forged.write_bytes(body[: site.chance.randrange(len(body))])


def _renamed(site: Site, honest: Path, forged: Path) -> None:
    entries = _entries(honest)
    name = site.chance.choice(
        [
            "../treasure.txt",
            "/tmp/deskloop-treasure",
            "adapters/../../treasure.txt",
            "adapters/..",
            "runs/1/x",
            "..",
            "a\x00b",
        ]
    )
    _pack(entries | {name: b"stolen"}, forged)


def _linked(site: Site, honest: Path, forged: Path) -> None:
    link = tarfile.TarInfo("adapters/v1/weights.safetensors")
    link.type = site.chance.choice([tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
    link.linkname = "../../treasure.txt"
    _pack(_entries(honest), forged, [link])


def _twice(site: Site, honest: Path, forged: Path) -> None:
    again = tarfile.TarInfo("desk.db")
    _pack(_entries(honest), forged, [again])


def _changed_database(honest: Path, forged: Path, *statements: str) -> None:
    entries = _entries(honest)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "desk.db")
        path.write_bytes(entries["desk.db"])
        database = sqlite3.connect(path)
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()
        entries["desk.db"] = path.read_bytes()
    _pack(entries, forged)


def _with_trigger(site: Site, honest: Path, forged: Path) -> None:
    table = site.chance.choice(["pairs", "settings", "conversations"])
    event = site.chance.choice(["INSERT", "UPDATE", "DELETE"])
    _changed_database(honest, forged, f"CREATE TRIGGER evil AFTER {event} ON {table} BEGIN DELETE FROM settings; END")


def _with_view(site: Site, honest: Path, forged: Path) -> None:
    _changed_database(
        honest, forged, "ALTER TABLE settings RENAME TO stolen", "CREATE VIEW settings AS SELECT * FROM stolen"
    )


def _with_bad_cell(site: Site, honest: Path, forged: Path) -> None:
    bad = site.chance.choice(["{", "[1,", "null", "\x00", '{"a": ' * 2000, "1e999", '"x"'])
    _changed_database(honest, forged, f"UPDATE settings SET value = '{bad.replace(chr(0), '')}'")


# -- adapters --------------------------------------------------------------------------------------
EVIL_CONFIGS: list[dict[str, Any]] = [
    {"init_lora_weights": "pissa"},
    {"init_lora_weights": "olora"},
    {"init_lora_weights": "loftq"},
    {"peft_type": "BONE"},
    {"peft_type": ["LORA"]},
    {"auto_mapping": {"base_model_class": "X", "parent_library": "os"}},
    {"layer_replication": [[0, 2], [0, 2]]},
    {"target_modules": "(a+)+$"},
    {"target_modules": "(.*)*" * 30},
    {"rank_pattern": {"(a+)+b": 4}},
    {"r": 10**9},
    {"r": -1},
    {"lora_alpha": 1e308},
    {"modules_to_save": ["lm_head"]},
    {"megatron_config": {"x": 1}, "megatron_core": "os"},
    {"bias": "all"},
    {"unheard_of": True},
    {"base_model_name_or_path": "https://evil.example/model"},
]


def adapter(site: Site) -> None:
    """A version whose files were changed, with digests to match: the desk answers by an earlier one, and says so."""
    site.prepare()
    before = site.data("ask", "Where is my order?", "--version", "base")["text"]
    version = site.teach()
    folder = site.home / "adapters" / version
    config_path, weights = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    if site.chance.random() < 0.7:
        config = json.loads(config_path.read_text()) | site.chance.choice(EVIL_CONFIGS)
        config_path.write_text(json.dumps(config))
    elif site.chance.random() < 0.5:
        body = bytearray(weights.read_bytes())
        body[site.chance.randrange(len(body))] ^= 0xFF
        weights.write_bytes(body)
    else:
        weights.write_bytes(weights.read_bytes()[: site.chance.randrange(weights.stat().st_size)])
    if site.chance.random() < 0.8:
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"] = {name: sha256_of(folder / name) for name in manifest["files"]}
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
    answer = site.data("ask", "Where is my order?")
    assert answer["version"] == "base", answer
    assert answer["text"] == before
    assert site.treasure.read_text() == "untouched"


# -- bases -----------------------------------------------------------------------------------------
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 269060552\n"
LOOP = "{% for a in range(99999) %}" * 3 + "x" + "{% endfor %}" * 3


def base(site: Site) -> None:
    """A base that can't be one: set-up refuses it in a sentence, and the one that answered goes on answering."""
    site.prepare()
    before = site.data("ask", "Where is my order?")["text"]
    folder = shutil.copytree(site.base, site.root / "brought")
    for name in (".deskloop-own", ".deskloop-hashes.json"):
        (folder / name).unlink(missing_ok=True)
    how = site.chance.choice([_lfs, _cut_weights, _quantized, _remote_code, _looping, _greedy, _small, _rubbish, _dots])
    given = how(site, folder)
    done = site.run("setup", "--base", given, check=False)
    assert done.returncode == 1, (how.__name__, done.stderr)
    assert not (site.root / "ran").exists(), "custom code ran"
    assert site.data("ask", "Where is my order?")["text"] == before, how.__name__
    site.check()


def _config(folder: Path, **changes: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


def _lfs(site: Site, folder: Path) -> Path:
    (folder / site.chance.choice(["model.safetensors", "tokenizer.json", "config.json"])).write_text(LFS)
    return folder


def _cut_weights(site: Site, folder: Path) -> Path:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: site.chance.randrange(path.stat().st_size)])
    return folder


def _quantized(site: Site, folder: Path) -> Path:
    return _config(folder, quantization_config={"quant_method": site.chance.choice(["gptq", "awq", "hqq"]), "bits": 4})


def _remote_code(site: Site, folder: Path) -> Path:
    ran = site.root / "ran"
    (folder / "modeling_evil.py").write_text(f"from pathlib import Path\nPath({str(ran)!r}).touch()\nclass Evil: ...\n")
    name = {"AutoConfig": "modeling_evil.Evil", "AutoModelForCausalLM": "modeling_evil.Evil"}
    return _config(folder, auto_map=name, model_type="evil", architectures=["Evil"])


def _looping(site: Site, folder: Path) -> Path:
    (folder / "chat_template.jinja").write_text(LOOP)
    return folder


def _greedy(site: Site, folder: Path) -> Path:
    big = site.chance.choice([{"hidden_size": 10**9}, {"num_hidden_layers": 10**9}, {"vocab_size": 10**12}])
    return _config(folder, **big)


def _small(site: Site, folder: Path) -> Path:
    return _config(folder, vocab_size=100)


def _rubbish(site: Site, folder: Path) -> Path:
    path = folder / site.chance.choice(["config.json", "tokenizer.json", "model.safetensors"])
    path.write_bytes(site.chance.randbytes(2000))
    return folder


def _dots(site: Site, folder: Path) -> Path:
    name = site.chance.choice(["...gguf", "....gguf", " .gguf", ".gguf", "-rf.gguf", "a\\b.gguf"])
    path = site.root / name
    path.write_bytes(b"GGUF" + site.chance.randbytes(500))
    return path


# -- erasing ---------------------------------------------------------------------------------------
def erasure(site: Site) -> None:
    """A made-up person, said in every way there is; after `forget` no byte of the desk's folder holds it."""
    site.prepare()
    letters = "abcdefghijklmnopqrstuvwxyz"
    name = "".join(site.chance.choice(letters) for _ in range(14))
    secret = f"{name} of {site.chance.randrange(10**9, 10**10)} Elm Street"
    reply = site.data("ask", "-", said=f"I am {secret}, where is my order?")["reply_id"]
    site.run("correct", str(reply), "-", said=f"Dear {secret}, it is on its way.")
    rows = site.root / "rows.jsonl"
    row = {"instruction": f"Who is {secret}?", "output": f"A customer, {secret.upper()}."}
    rows.write_text(json.dumps(row) + "\n" + json.dumps({"instruction": "", "output": secret}) + "\n")
    site.run("pairs", "import", rows, check=False)
    if site.chance.random() < 0.5:
        site.teach()
    rows.unlink()
    site.run("forget", "--text", "-", "--yes", said=name)
    found = [str(path) for path in site.home.rglob("*") if path.is_file() and _holds(path, name)]
    assert not found, found
    assert site.data("ask", "Are you there?")["text"] is not None
    site.check()


def _holds(path: Path, name: str) -> bool:
    body = path.read_bytes().lower()
    return any(name.encode(code) in body for code in ("utf-8", "utf-16-le", "utf-16-be"))


FORGERIES: dict[str, Callable[[Site], None]] = {
    "archive": archive,
    "adapter": adapter,
    "base": base,
    "erasure": erasure,
}
