"""How fast a page writes at GPT-2 small's shape, beside the NumPy witness in the same run.

    python benchmarks/page.py [--shape gpt2] [--tokens 8]

Needs a browser, memory for the model twice, and half a gigabyte of disk.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from random_checkpoint import config_of, write_checkpoint

from sheetgpt.check.browser import opened
from sheetgpt.check.page import READY
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.sampling import complete
from sheetgpt.page.build import PageOrder, save_page

PROMPT = "ab c"


def measure(directory: Path, tokens: int) -> None:
    model = checkpoint.load(directory)
    ids = model.tokenizer.encode_prompt(PROMPT)
    path = directory / "gpt.html"
    save_page(model, PageOrder(PROMPT, new_tokens=tokens, weights=False), path)
    with opened(path) as driver:
        driver.set_script_timeout(1800)
        began = time.perf_counter()
        files = [directory / name for name in ("model.safetensors", "vocab.json", "merges.txt")]
        driver.find_element("id", "chosen").send_keys("\n".join(map(str, files)))
        driver.execute_async_script(READY)
        print(f"page, files dropped to done: {time.perf_counter() - began:.1f} s")
        for prompt in ("abc d", "ab c"):
            began = time.perf_counter()
            driver.execute_script(
                "const p = document.getElementById('prompt'); p.value = arguments[0];"
                "p.dispatchEvent(new Event('input', {bubbles: true}))",
                prompt,
            )
            driver.execute_async_script(READY)
            seconds = time.perf_counter() - began
            count = len(driver.execute_script("return sheetgpt.values['tokens.id']"))
            print(f"page: {count} rows in {seconds:.2f} s, {count / seconds:.2f} tokens a second")
    began = time.perf_counter()
    written = complete(model.config, model.weights, ids, tokens, None)
    seconds = time.perf_counter() - began
    print(f"NumPy, without a cache: {len(written) / seconds:.2f} tokens a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", default="gpt2")
    parser.add_argument("--tokens", type=int, default=8)
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        write_checkpoint(Path(folder), config_of(chosen.shape))
        measure(Path(folder), chosen.tokens)


if __name__ == "__main__":
    main()
