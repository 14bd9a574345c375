"""The gate decides as its policies say, denies what it cannot evaluate, and remembers without confusing."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright.core.errors import ConfigError, NotFound, UsageError
from forgewright.policy import Attempt, CedarGate, Verdict


@pytest.fixture(scope="module")
def default() -> CedarGate:
    return CedarGate.load()


def gate(text: str, **options: object) -> CedarGate:
    return CedarGate({"test.cedar": text}, **options)  # type: ignore[arg-type]


PERMIT = '@id("yes") permit (principal, action, resource);'


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (Attempt("coder", "model", "anthropic:some"), Verdict(True, ("models",))),
        (Attempt("coder", "edit", "src/app.py"), Verdict(True, ("edits",))),
        (Attempt("reviewer", "edit", "src/app.py"), Verdict(True, ("edits",))),
        (Attempt("refactorer", "git", "commit"), Verdict(True, ("git",))),
        (Attempt("x", "read", "clock"), Verdict(True, ("reading",))),
        (Attempt("tester", "exec", "tests"), Verdict(True, ("checks", "shell"), tier="container")),
        (Attempt("planner", "exec", "tests"), Verdict(True, ("checks",), tier="container")),
        (
            Attempt("coder", "exec", "tests", {"unknown_dependencies": True}),
            Verdict(True, ("checks", "exec-unknown-dependencies", "shell"), tier="microvm"),
        ),
        (
            Attempt("coder", "exec", "tests", {"network": ("packages.example:443",)}),
            Verdict(True, ("exec-with-network",), tier="microvm", approval="owner"),
        ),
        (
            Attempt("coder", "install", "pypi:left-pad"),
            Verdict(True, ("installing",), tier="microvm", approval="owner"),
        ),
        (
            Attempt("coder", "install", "pypi:requests", {"state": "approved", "pinned": True}),
            Verdict(True, ("installing-approved",), tier="container"),
        ),
        (Attempt("coder", "publish", "pull-request"), Verdict(True, ("publishing",), approval="owner")),
        (
            Attempt("coder", "edit", ".env"),
            Verdict(True, ("edits", "edits-of-secrets"), approval="owner"),
        ),
        (
            Attempt("coder", "tool", "delete_all", {"server": "shop"}),
            Verdict(True, ("server-tools",), approval="owner"),
        ),
        (
            Attempt("coder", "tool", "mcp:shop/sell", {"recovery": "unsafe"}),
            Verdict(True, ("server-tools",), approval="owner"),
        ),
        (Attempt("coder", "tool", "search"), Verdict(True, ("local-tools",))),
        (
            Attempt("coder", "edit", "worktree", {"paths": ("src/a.py", "src/b.py")}),
            Verdict(True, ("edits",)),
        ),
    ],
)
def test_default_permits(default: CedarGate, attempt: Attempt, expected: Verdict) -> None:
    found = default.decide(attempt)
    assert (found.permit, found.policies, found.tier, found.approval) == (
        expected.permit,
        expected.policies,
        expected.tier,
        expected.approval,
    )


@pytest.mark.parametrize(
    ("attempt", "policy"),
    [
        (Attempt("planner", "edit", "a.py"), "readers-do-not-edit"),
        (Attempt("tester", "edit", "a.py"), "readers-do-not-edit"),
        (Attempt("coder", "edit", ".github/workflows/ci.yml"), "no-edits-of-ci"),
        (Attempt("coder", "edit", "sub/../.GIT/hooks/pre-commit"), "no-edits-of-git"),
        (Attempt("coder", "edit", "../outside.py"), "no-edits-outside"),
        (Attempt("coder", "edit", "/etc/passwd"), "no-edits-outside"),
        (Attempt("coder", "edit", "policy/own.cedar"), "no-edits-of-policies"),
        (Attempt("coder", "edit", "forgewright.toml"), "no-edits-of-policies"),
        (Attempt("coder", "edit", "a.py", {"paths": ("b.py", ".git/config")}), "no-edits-of-git"),
        (Attempt("coder", "network", "http://169.254.169.254/latest"), "no-private-hosts"),
        (Attempt("coder", "network", "0x7f000001:80"), "no-private-hosts"),
        (Attempt("coder", "read", "x", {"paths": ("/etc/shadow",)}), "no-reading-outside"),
        (Attempt("coder", "tool", "search", {"server": "s", "state": "suspended"}), "no-suspended-tools"),
    ],
)
def test_default_forbids(default: CedarGate, attempt: Attempt, policy: str) -> None:
    found = default.decide(attempt)
    assert not found.permit
    assert policy in found.policies
    assert policy in found.reason


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt("coder", "network", "packages.example:443"),
        Attempt("coder", "git", "push"),
        Attempt("coder", "git", "commit", {"own": False}),
    ],
)
def test_without_a_permit_it_is_denied_and_says_what_a_permit_would_cover(
    default: CedarGate, attempt: Attempt
) -> None:
    found = default.decide(attempt)
    assert not found.permit
    assert found.policies == ()
    assert "no policy permits it" in found.reason
    assert f'Action::"{attempt.action}"' in found.reason


def test_strict_follows_the_threat_model() -> None:
    strict = CedarGate.load("strict")

    def tier(purpose: str, **facts: object) -> str | None:
        return strict.decide(Attempt("tester", "exec", purpose, facts)).tier  # type: ignore[arg-type]

    assert tier("lint") == "container"
    assert tier("build") == tier("tests") == "gvisor"
    assert strict.decide(Attempt("tester", "exec", "tests")).limits == {"seconds": 3600}
    assert strict.decide(Attempt("coder", "exec", "shell")).limits == {"seconds": 600}
    assert tier("e2e") == tier("tests", unknown_dependencies=True) == "microvm"
    assert tier("tests", network=("packages.example:443",)) == "microvm"
    paying = strict.decide(Attempt("tester", "exec", "pay", {"secrets": ("financial",)}))
    assert (paying.tier, paying.approval) == ("microvm", "owner,security")
    assert not strict.decide(Attempt("reviewer", "edit", "a.py")).permit
    assert not strict.decide(Attempt("coder", "edit", "a.py", {"lines": 2001})).permit


def test_the_strongest_obligations_win() -> None:
    found = gate("""
        @id("a") @tier("container") @limits("seconds=60,memory_mb=512") @redact("email")
        permit (principal, action == Action::"exec", resource);
        @id("b") @tier("microvm") @approval("owner") @limits("seconds=10") @redact("secrets")
        permit (principal, action == Action::"exec", resource);
        @id("c") @tier("wasm") @approval("security, owner")
        permit (principal, action == Action::"exec", resource);
    """).decide(Attempt("x", "exec", "y"))
    assert found.tier == "microvm"
    assert found.approval == "owner,security"
    assert found.limits == {"memory_mb": 512, "seconds": 10}
    assert found.redact == ("email", "secrets")


def test_named_sets_and_files_make_one_set(tmp_path: Path) -> None:
    own = tmp_path / "own.cedar"
    own.write_text('@id("no-lock-files") forbid (principal, action == Action::"edit", resource)'
                   ' when { context.suffix == ".lock" };')  # fmt: skip
    both = CedarGate.load(["default", own])
    assert both.decide(Attempt("coder", "edit", "a.lock")).policies == ("no-lock-files",)
    assert both.decide(Attempt("coder", "edit", "a.py")).policies == ("edits",)


def test_an_empty_set_denies_and_so_does_no_file() -> None:
    assert not gate("").decide(Attempt("x", "model", "m")).permit
    with pytest.raises(UsageError):
        CedarGate.load([])
    with pytest.raises(NotFound):
        CedarGate.load(["/nowhere/there.cedar"])


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (Attempt("x", "nonsense", "y"), "expected an action"),  # type: ignore[arg-type]
        (Attempt("", "model", "m"), "principal"),
        (Attempt("x", "exec", "y", {"purpose": 3}), "purpose"),
        (Attempt("x", "exec", "y", {"unknown_dependencies": 1}), "unknown_dependencies"),
        (Attempt("x", "edit", "y", {"lines": True}), "lines"),
        (Attempt("x", "edit", "y", {"lines": 1 << 63}), "lines"),
        (Attempt("x", "edit", "y", {"paths": "a"}), "paths"),
        (Attempt("x", "edit", "a\ud800"), "can't be read"),
        (Attempt("x", "edit", "y", {"lines": object()}), "can't be read"),  # type: ignore[dict-item]
        (Attempt("x", "exec", "y", {"labels": (1,)}), "labels"),  # type: ignore[dict-item]
        (Attempt("x", "model", "m" * (5 << 20)), "bytes"),
    ],
)
def test_what_cannot_be_evaluated_is_denied_even_where_all_is_permitted(attempt: Attempt, said: str) -> None:
    found = gate(PERMIT).decide(attempt)
    assert not found.permit
    assert said in found.reason


def test_a_policy_that_fails_to_evaluate_denies() -> None:
    overflowing = gate(
        PERMIT
        + '@id("no") forbid (principal, action == Action::"spend", resource)'
        + "when { context has tokens && context.tokens + 9223372036854775807 > 5 };"
    )
    assert overflowing.decide(Attempt("x", "spend", "run", {"tokens": 0})).policies == ("no",)
    found = overflowing.decide(Attempt("x", "spend", "run", {"tokens": 5}))
    assert not found.permit
    assert "could not be evaluated" in found.reason


def test_memory_tells_values_of_different_types_apart() -> None:
    g = gate('@id("one") permit (principal, action == Action::"spend", resource)'
             " when { context has tokens && context.tokens == 1 };")  # fmt: skip
    assert g.decide(Attempt("x", "spend", "run", {"tokens": 1})).permit
    assert not g.decide(Attempt("x", "spend", "run", {"tokens": True})).permit
    assert not g.decide(Attempt("x", "spend", "run", {"tokens": "1"})).permit
    assert g.decide(Attempt("x", "spend", "run", {"tokens": 1})).permit


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forgewright.policy.gate.MEMORY_MAX", 8)
    g = gate(PERMIT)
    for number in range(100):
        assert g.decide(Attempt("x", "model", f"m{number}")).permit
    assert len(g._young) + len(g._old) <= 16


def test_entities_put_agents_into_groups() -> None:
    entities = [
        {"uid": {"type": "Agent", "id": "kim"}, "attrs": {}, "parents": [{"type": "Group", "id": "editors"}]}
    ]
    g = gate(
        '@id("e") permit (principal in Group::"editors", action == Action::"edit", resource);',
        entities=entities,
    )
    assert g.decide(Attempt("kim", "edit", "a.py")).permit
    assert not g.decide(Attempt("lee", "edit", "a.py")).permit
    with pytest.raises(ConfigError):
        gate(PERMIT, entities=[{"uid": {"type": "Nonsense", "id": "x"}, "attrs": {}, "parents": []}])


def test_digest_changes_with_policies_and_entities_and_not_with_comments() -> None:
    assert gate(PERMIT).digest == gate("// a comment\n" + PERMIT).digest
    assert gate(PERMIT).digest != gate(PERMIT.replace("yes", "no")).digest
    entity = {"uid": {"type": "Group", "id": "g"}, "attrs": {}, "parents": []}
    assert gate(PERMIT).digest != gate(PERMIT, entities=[entity]).digest


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("\n  permit (principal, action, resource);", 2, 3, "@id"),
        ('@id("a")\npermit (principal, action resource);', 2, 27, "unexpected token `resource`"),
        ('@id("a") permit (principal, action, resource)\nwhen { context. };', 2, 17, "unexpected token `}`"),
        ('@id("a") permit (principal, action, resource', 1, 37, "unexpected end"),
        ('@id("a") @aproval("owner") permit (principal, action, resource);', 1, 1, "did you mean @approval"),
        ('@id("a") @tier("strong") permit (principal, action, resource);', 1, 1, "strong"),
        ('@id("a") @tier("gvisor") forbid (principal, action, resource);', 1, 1, "no meaning on a forbid"),
        ('@id("a") @limits("time") permit (principal, action, resource);', 1, 1, "memory_mb=512"),
        ('@id("a") @approval("") permit (principal, action, resource);', 1, 1, "@approval"),
        ('@id("a") permit (principal == ?principal, action, resource);', 1, 1, "template"),
        (
            '@id("a") permit (principal, action == Action::"edti", resource);',
            1,
            1,
            'found "edti"',
        ),
        (
            '@id("a")\npermit (principal, action == Action::"exec", resource)\nwhen\n{ context.nope == 1 };',
            4,
            11,
            "nope",
        ),
        (PERMIT + "\n" + PERMIT, 2, 1, "name of its own"),
    ],
)
def test_mistakes_have_positions(text: str, line: int, column: int, said: str) -> None:
    from forgewright.policy.check import check

    mistakes = check({"test.cedar": text}).mistakes
    assert any((m.line, m.column) == (line, column) and said in m.message for m in mistakes), mistakes


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        gate('permit (principal, action, resource);\n@id("b") permit (;\n' + PERMIT + "\n" + PERMIT)
    assert "3 mistakes" in caught.value.message
