"""Recipe files: what they may say, and how they are refused."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from llb_schema import FindingError, load_schema
from llb_trainer.plan import Plan, read_plan
from llb_trainer.sampling import Sampling
from llb_trainer.training import Recipe

HEAD = 'format = "llb-recipe"\nformat_version = "1.0"\n'
DOCS = Path(__file__).parents[2] / "docs" / "recipes.md"


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_recipe_is_the_default(tmp_path: Path) -> None:
    seed = Plan().sampling.seed
    assert read_plan(written(tmp_path, HEAD)) == Plan().seeded(seed)


def test_the_documented_recipe_is_the_default(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    plan = read_plan(written(tmp_path, found.group(1)))
    default = Plan().seeded(Plan().sampling.seed)
    few = replace(default, recipe=default.recipe.sized(15))
    assert plan == few
    assert type(plan.recipe.depth) is int


def test_many_bins_take_more_steps_unless_the_recipe_says_how_many(tmp_path: Path) -> None:
    assert (Plan().recipe.steps_for(3), Plan().recipe.steps_for(50)) == (24_000, 59_000)
    plan = read_plan(written(tmp_path, HEAD + "[schedule]\nsteps = 10\n"))
    assert plan.recipe.steps_for(50) == 10


def test_every_section_is_heard(tmp_path: Path) -> None:
    text = f"""{HEAD}seed = 7
[labels]
signals = 300
[sampling]
published = 0.5
delta_max = 30
[network]
width = 32
[schedule]
steps = 10
[loss]
soft = 2.0
"""
    plan = read_plan(written(tmp_path, text))
    assert (plan.signals, plan.sampling.published, plan.sampling.delta_max) == (300, 0.5, 30.0)
    assert (plan.recipe.width, plan.recipe.steps, plan.recipe.soft) == (32, 10, 2.0)
    assert plan.sampling.seed == plan.recipe.seed == 7
    assert plan.seeded(9).recipe.seed == plan.seeded(9).sampling.seed == 9


REFUSED = {
    "not TOML": ("format = ", "LLB-T042", "TOML"),
    "another format": ('format = "other"\n', "LLB-T042", "format_version"),
    "a newer version": (HEAD.replace("1.0", "2.0"), "LLB-T042", "format_version"),
    "unknown section": (f"{HEAD}[networks]\n", "LLB-T042", "did you mean network?"),
    "unknown key": (f"{HEAD}[network]\nwitdh = 3\n", "LLB-T042", "did you mean width?"),
    "wrong type": (f'{HEAD}[network]\nwidth = "wide"\n', "LLB-T042", "must be an integer"),
    "a fraction of a step": (f"{HEAD}[schedule]\nsteps = 1.5\n", "LLB-T042", "must be an integer"),
    "true is no number": (f"{HEAD}[loss]\nsoft = true\n", "LLB-T042", "must be a number"),
    "no name of a strategy": (f'{HEAD}[sampling]\nstrategy = ""\n', "LLB-T042", "must be a string"),
    "a seed of words": (f'seed = "often"\n{HEAD}', "LLB-T042", "seed is 'often'"),
    "no section": (f"network = 3\n{HEAD}", "LLB-T042", "no section"),
    "out of range": (f"{HEAD}[network]\nwidth = 0\n", "LLB-T040", "at least 1"),
    "no signals": (f"{HEAD}[labels]\nsignals = 0\n", "LLB-T040", "at least 1"),
    "sampling out of range": (f"{HEAD}[sampling]\npublished = 2.0\n", "LLB-T031", "between 0 and 1"),
    "infinite": (f"{HEAD}[loss]\nsoft = inf\n", "LLB-T040", "finite"),
    "not a number": (f"{HEAD}[schedule]\nlearning_rate = nan\n", "LLB-T040", "finite"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_recipe_is_refused(tmp_path: Path, name: str) -> None:
    text, code, words = REFUSED[name]
    with pytest.raises(FindingError, match=code) as caught:
        read_plan(written(tmp_path, text))
    assert words in caught.value.findings[0].message


def test_all_faults_are_reported_at_their_places(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}colour = 1\n[network]\nwitdh = 3\n[loss]\nsoft = true\n")
    with pytest.raises(FindingError) as caught:
        read_plan(path)
    pointers = [item.pointer for item in caught.value.findings]
    assert pointers == [f"{path}#/colour", f"{path}#/network/witdh", f"{path}#/loss/soft"]


def test_whole_numbers_may_be_written_as_fractions_and_fractions_as_whole_numbers(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, f"seed = 3.0\n{HEAD}[network]\ndepth = 2.0\n[loss]\nsoft = 3\n"))
    assert (plan.recipe.depth, plan.recipe.soft, plan.recipe.seed) == (2, 3.0, 3)
    assert [type(value) for value in (plan.recipe.depth, plan.recipe.soft, plan.recipe.seed)] == [
        int,
        float,
        int,
    ]


SECTIONS = {
    key: section["properties"]
    for key, section in load_schema("recipe")["properties"].items()
    if "properties" in section
}
KEYS = [(section, key) for section, keys in SECTIONS.items() for key in keys]


def test_the_schema_has_the_types_of_the_plan_and_leaves_its_defaults_to_it() -> None:
    plan = Plan()
    owners = {"labels": plan, "sampling": plan.sampling}
    for section, key in KEYS:
        default = getattr(owners.get(section, plan.recipe), key)
        assert "default" not in SECTIONS[section][key], key
        assert (default is None or isinstance(default, int)) == (
            SECTIONS[section][key]["type"] == "integer"
        ), key


def test_the_schema_leaves_out_what_no_file_says() -> None:
    sampling = {item.name for item in fields(Sampling)} - {"seed", "metropolis", "active"}
    recipe = {item.name for item in fields(Recipe)} - {"seed"}
    assert set(SECTIONS["sampling"]) == sampling
    assert {key for section, key in KEYS if section not in {"labels", "sampling"}} == recipe
    assert set(SECTIONS["labels"]) == {"signals"}


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_every_range_of_the_schema_is_one_of_the_settings(section: str, key: str, tmp_path: Path) -> None:
    rules = SECTIONS[section][key]
    if rules["type"] == "string":
        return
    tiny = 1 if rules["type"] == "integer" else 1e-9
    beyond = {
        "minimum": lambda edge: edge - tiny,
        "exclusiveMinimum": lambda edge: edge,
        "exclusiveMaximum": lambda edge: edge,
        "maximum": lambda edge: edge + 1e-9,
    }
    for rule, outside in beyond.items():
        # 2^53 - 1 is where JSON ends, not a range of the settings.
        if rule in rules and rules[rule] < 2**52:
            with pytest.raises(FindingError, match=r"LLB-T031|LLB-T040"):
                read_plan(written(tmp_path, f"{HEAD}[{section}]\n{key} = {outside(rules[rule])!r}\n"))
            if not rule.startswith("exclusive"):
                read_plan(written(tmp_path, f"{HEAD}[{section}]\n{key} = {rules[rule]!r}\n"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FindingError, match="LLB-X003"):
        read_plan(tmp_path / "nowhere.toml")
