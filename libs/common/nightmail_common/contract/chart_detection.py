"""Decides from a script's syntax tree whether it draws charts, so that only such a script runs where matplotlib is."""

import ast
import re

from nightmail_common.contract.script import syntax_nodes

#: Packages that draw with matplotlib; an operator may add seaborn with SCRIPT_IMPORTS.
_PACKAGES = frozenset(["matplotlib", "mpl_toolkits", "pylab", "seaborn"])
#: What DataFrame, Series and groupby draw with: `data.plot()`, `data.plot.bar()`, `data.hist()`, `pd.plotting`.
_ATTRIBUTES = frozenset(["plot", "hist", "boxplot", "plotting"])
#: Most scripts have none of these words, and need no tree.
_WORDS = re.compile("|".join(sorted(_PACKAGES | _ATTRIBUTES)))


def draws_charts(script: str) -> bool:
    """Return whether a script imports matplotlib or plots. A column that is named `plot` counts, too, which does no harm."""
    return _WORDS.search(script) is not None and any(map(_draws, syntax_nodes(script)))


def _draws(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(name.name.partition(".")[0] in _PACKAGES for name in names)
        case ast.ImportFrom(module=str(module)):
            return module.partition(".")[0] in _PACKAGES
        case ast.Attribute(attr=name):
            return name in _ATTRIBUTES
    return False
