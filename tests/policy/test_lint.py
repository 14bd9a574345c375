"""Policies that do nothing are found; policies that do something are left alone."""

from __future__ import annotations

import pytest

from forgewright.policy import CedarGate
from forgewright.policy.lint import lint

EDIT = 'action == Action::"edit", resource'


def found(text: str) -> list[tuple[str, str]]:
    return [(finding.policy, finding.kind) for finding in lint(CedarGate({"t.cedar": text}).policies)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f'@id("a") permit (principal, {EDIT}) when {{ context.name == "x" && context.name == "y" }};',
            "never",
        ),
        (
            f'@id("a") permit (principal, {EDIT}) when {{ context.name == "x" && context.name != "x" }};',
            "never",
        ),
        (
            f'@id("a") permit (principal, {EDIT}) when {{ ["x"].contains(context.name) && context.name == "y" }};',
            "never",
        ),
        (
            f'@id("a") permit (principal, {EDIT}) when {{ context.labels.contains("x") }}'
            ' unless { context.labels.contains("x") };',
            "never",
        ),
        ('@id("a") permit (principal, action, resource);', "always"),
        (f'@id("a") forbid (principal, {EDIT});', "always"),
        (
            f'@id("wide") permit (principal, {EDIT}) when {{ context.name like "*.py" }};'
            f'@id("a") permit (principal == Agent::"x", {EDIT}) when {{ context.name like "*.py" }};',
            "shadowed",
        ),
        (
            f'@id("wide") permit (principal, {EDIT}) when {{ ["x", "y"].contains(context.name) }};'
            f'@id("a") permit (principal, {EDIT}) when {{ context.name == "x" }};',
            "shadowed",
        ),
        (
            f'@id("wide") permit (principal, {EDIT}) when {{ context.name != "x" }};'
            f'@id("a") permit (principal, {EDIT}) when {{ context.name == "y" }};',
            "shadowed",
        ),
        (
            f'@id("wide") forbid (principal, {EDIT}) when {{ context.labels.contains("ci") }};'
            f'@id("a") permit (principal, {EDIT}) when {{ context.labels.contains("ci") && context.name == "y" }};',
            "mute",
        ),
    ],
)
def test_what_does_nothing_is_found(text: str, expected: str) -> None:
    assert found(text) == [("a", expected)]


@pytest.mark.parametrize(
    "text",
    [
        # its approval is what it adds
        f'@id("wide") permit (principal, {EDIT}) when {{ context.name like "*" }};'
        f'@id("a") @approval("owner") permit (principal, {EDIT}) when {{ context.name like "*" && context.name == "x" }};',
        f'@id("one") permit (principal, {EDIT}) when {{ context.name == "x" }};'
        f'@id("two") permit (principal, {EDIT}) when {{ context.name == "y" }};',
        f'@id("a") permit (principal, {EDIT}) when {{ context.name == "x" || context.name == "y" }};',
    ],
)
def test_what_does_something_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_of_two_equal_policies_one_is_reported() -> None:
    one = f'permit (principal, {EDIT}) when {{ context.name == "x" }};'
    assert found(f'@id("a") {one} @id("b") {one}') == [("b", "shadowed")]


def test_of_two_that_match_the_same_the_one_with_fewer_actions_is_shadowed() -> None:
    assert found(
        f'@id("few") permit (principal, {EDIT}) when {{ context.name == "x" }};'
        '@id("more") permit (principal, action in [Action::"edit", Action::"read"], resource)'
        ' when { context.name == "x" };'
    ) == [("few", "shadowed")]


@pytest.mark.parametrize("name", ["default", "strict"])
def test_the_sets_that_come_along_have_no_findings(name: str) -> None:
    assert lint(CedarGate.load(name).policies) == []
