"""A script with `return` outside of any function, compiled so that everything else in it means what it means in a file.

Python allows `return` in functions only. The script becomes the body of a function that declares every name that it
binds as global; its code is then executed as a module's. So `global`, `globals()`, `locals()`, star imports and
annotations behave as at the top level of a file, and line numbers stay the user's own.
"""

import ast
import inspect
import sys
from types import CodeType

_FUNCTION = ast.parse("def body(): pass").body[0]


def compile_body(tree: ast.Module, filename: str) -> CodeType:
    """Return a script's code; `eval` of it in the namespace of a module gives the value that it returns.

    Raises:
        SyntaxError: as `compile`.
    """
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    nodes = list(ast.walk(tree))
    names = sorted(bound_names(tree.body) - _nonlocal_names(nodes))
    script = ast.Module(body=[node for node in tree.body if node not in future], type_ignores=[])
    if any(isinstance(node, ast.AnnAssign | ast.ImportFrom) for node in nodes):
        lazy = sys.version_info >= (3, 14) or any(
            alias.name == "annotations" for node in future for alias in node.names
        )
        script = _TopLevel(lazy_annotations=lazy).visit(script)
    declaration: list[ast.stmt] = [ast.Global(names=names)] if names else []
    function = ast.FunctionDef(**vars(_FUNCTION) | {"body": [*declaration, *script.body]})
    module = ast.fix_missing_locations(ast.Module(body=[*future, function], type_ignores=[]))
    code = compile(module, filename, "exec", dont_inherit=True)
    [own] = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    # Without these flags its local names are those of the module, as at the top level of a file.
    flags = own.co_flags & ~(inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS)
    return own.replace(co_name="<module>", co_qualname="<module>", co_flags=flags)


def bound_names(statements: list[ast.stmt]) -> set[str]:
    """Return the names that statements bind in their own scope, not those of functions and classes within."""
    names: set[str] = set()
    pending: list[ast.AST] = list(statements)
    while pending:
        node = pending.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.FunctionDef(name=name, args=args) | ast.AsyncFunctionDef(name=name, args=args):
                names.add(name)
                pending.extend([*node.decorator_list, *args.defaults, *filter(None, args.kw_defaults)])
                continue
            case ast.ClassDef(name=name):
                names.add(name)
                pending.extend([*node.decorator_list, *node.bases, *node.keywords])
                continue
            case ast.Lambda():
                continue
            case ast.comprehension():  # its target is its own; what it iterates over is not
                pending.extend([node.iter, *node.ifs])
                continue
            case ast.alias(name=module, asname=name) if module != "*":
                names.add(name or module.partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.add(name)
            case ast.MatchMapping(rest=str(name)):
                names.add(name)
        pending.extend(ast.iter_child_nodes(node))
    return names


def _nonlocal_names(nodes: list[ast.AST]) -> set[str]:
    """Return the names that stay local to the body: a file has no `nonlocal` of them, but scripts may use it."""
    return {name for node in nodes if isinstance(node, ast.Nonlocal) for name in node.names}


class _TopLevel(ast.NodeTransformer):
    """Rewrites what a function forbids or ignores: annotations of global names, and star imports."""

    def __init__(self, *, lazy_annotations: bool) -> None:
        self._lazy_annotations = lazy_annotations

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.AST]:
        if not isinstance(node.target, ast.Name) or not node.simple:
            return node
        annotation = ast.Constant(ast.unparse(node.annotation)) if self._lazy_annotations else node.annotation
        noted = ast.parse(f"globals().setdefault('__annotations__', {{}})[{node.target.id!r}] = None").body[0]
        assert isinstance(noted, ast.Assign)
        noted.value = annotation
        assigned = [] if node.value is None else [ast.Assign(targets=[node.target], value=node.value)]
        return [_at(node, statement) for statement in (*assigned, noted)]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if not any(alias.name == "*" for alias in node.names):
            return node
        # The module's own namespace gets the names, as in a file.
        call = ast.parse(f"__import__('builtins').exec({ast.unparse(node)!r}, globals())").body[0]
        return _at(node, call)


def _at(place: ast.stmt, statement: ast.stmt) -> ast.stmt:
    """Return a statement whose new nodes stand where another statement does."""
    known = set(map(id, ast.walk(place)))
    for node in ast.walk(statement):
        if id(node) not in known:
            ast.copy_location(node, place)
    return statement
