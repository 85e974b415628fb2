"""``python -m benchmarks.random_adapter BASE FOLDER SEED``: a LoRA adapter that has learned nothing, to time with."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Write the adapter: of the default recipe's shape, both matrices random, so that it changes every logit."""
    import torch
    from transformers import AutoModelForCausalLM

    from finetune.methods import METHODS
    from finetune.recipe import Recipe

    base, folder, seed = sys.argv[1:]
    torch.manual_seed(int(seed))
    recipe = Recipe()
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    tuned = METHODS[recipe.method](model, None, recipe, "")
    for name, parameter in tuned.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.002)
    tuned.save(Path(folder))


if __name__ == "__main__":
    main()
