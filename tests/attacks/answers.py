"""Answers that are not what they seem."""

from attacks.toys import harmless, returning, toy

OPERATORS = """
    class Agreeable{base}:
        __hash__ = None
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        def __lt__(self, other): return True
        __le__ = __gt__ = __ge__ = __lt__
        def __sub__(self, other): return 0.0
        __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __sub__
        def __abs__(self): return 0.0
        def __float__(self): return 0.0
        def __bool__(self): return True
        def __contains__(self, item): return True
        def __getattr__(self, name): return self
        def __call__(self, *args, **kwargs): return self
"""
TENSOR = """
    class Agreeable(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return torch.tensor(True)
        def __array__(self, dtype=None): return None
        def __eq__(self, other): return torch.tensor(True)
        def __del__(self): pass
"""
SCALE = "\n\ndef scale(boxes, factor):\n    return "
RANK = "\n\ndef rank(scores):\n    return "

ATTACKS = [
    toy(
        "eq-always-true:object",
        returning("Agreeable()", OPERATORS.format(base="")),
        says="must be a number, not Agreeable",
    ),
    toy(
        "eq-always-true:module",
        returning("nn.Linear(1, 1)"),
        says="must be a number, not Linear",
    ),
    toy("eq-always-true:any", returning("mock.ANY", "from unittest import mock"), says="a number"),
    toy("eq-always-true:magic-mock", returning("mock.MagicMock()", "from unittest import mock")),
    toy(
        "eq-always-true:metaclass",
        returning(
            "Number()",
            """
            class Meta(type):
                def __eq__(cls, other): return True
                def __hash__(cls): return hash(float)
                def __instancecheck__(cls, instance): return True
                def __subclasscheck__(cls, other): return True
                def mro(cls): return [cls, object]
            class Number(metaclass=Meta):
                __class__ = float
                def __eq__(self, other): return True
            """,
        ),
        status=("failed", "violation"),
    ),
    toy(
        "eq-always-true:class-that-is-a-type",
        returning("float", "float.__name__"),
        says="must be a number, not type",
    ),
    toy(
        "eq-always-true:dict-keys",
        RANK.join(
            [
                "class Key(str):\n"
                "    def __eq__(self, other): return True\n"
                "    def __hash__(self): return 0",
                "{Key('best'): 0, Key('order'): list(range(6))}",
            ]
        ),
        task="1.4",
        says="lacks the keys 'best', 'order'",
    ),
    toy(
        "eq-always-true:dict-subclass",
        RANK.join(
            [
                "class Yes(dict):\n"
                "    def __contains__(self, key): return True\n"
                "    def __missing__(self, key): return self",
                "Yes()",
            ]
        ),
        task="1.4",
        says="must be a dict, not Yes",
    ),
    toy(
        "eq-always-true:list-subclass",
        RANK.join(
            [
                "class Yes(list):\n    def __eq__(self, other): return True",
                "{'best': 0, 'order': Yes(range(6))}",
            ]
        ),
        task="1.4",
    ),
    toy(
        "scalar-subclass:float",
        returning("Agreeable(1.0)", OPERATORS.format(base="(float)")),
        says="must be a number, not Agreeable",
    ),
    toy(
        "scalar-subclass:int",
        returning("Agreeable(1)", OPERATORS.format(base="(int)")),
        says="must be a number, not Agreeable",
    ),
    toy(
        "scalar-subclass:enum",
        returning("Sum.ANY", "import enum\nclass Sum(enum.IntEnum):\n    ANY = 1"),
        says="must be a number, not Sum",
    ),
    toy(
        "scalar-subclass:numpy",
        returning(
            "Agreeable(1.0)",
            "import numpy as np\nclass Agreeable(np.float64):\n"
            "    def __eq__(self, other): return True\n",
        ),
        says="must be a number, not Agreeable",
    ),
    *(
        toy(f"scalar-subclass:{name}", returning(text, setup), says="must be a number")
        for name, text, setup in (
            ("fraction", "Fraction(first + second)", "from fractions import Fraction"),
            ("decimal", "Decimal(first + second)", "from decimal import Decimal"),
            ("complex", "complex(first + second)", ""),
            ("string", "str(first + second)", ""),
            ("list", "[first + second]", ""),
        )
    ),
    toy(
        "tensor-subclass:torch-function",
        SCALE.join([TENSOR.replace("\n    ", "\n"), "boxes.as_subclass(Agreeable)"]),
        task="1.2",
        says="must be a torch.Tensor, not Agreeable",
    ),
    toy(
        "tensor-subclass:parameter",
        SCALE.join(
            [
                "class Agreeable(nn.Parameter):\n    def __eq__(self, other): return True",
                "Agreeable(boxes)",
            ]
        ),
        task="1.2",
        says="must be a torch.Tensor, not",
    ),
    toy(
        "tensor-subclass:lying-about-its-class",
        SCALE.join(["class Lie:\n    __class__ = torch.Tensor", "Lie()"]),
        task="1.2",
        says="must be a torch.Tensor, not Lie",
    ),
    toy(
        "tensor-subclass:class-assigned",
        "def scale(boxes, factor):\n"
        "    class Agreeable(torch.Tensor):\n"
        "        def __sub__(self, other): return torch.zeros(3, 4)\n"
        "    boxes.__class__ = Agreeable\n"
        "    return boxes",
        task="1.2",
    ),
    *(
        toy(f"nan-inf-bool:{name}", returning(text), says=says)
        for name, text, says in (
            ("nan", "float('nan')", "must be a finite number"),
            ("inf", "float('inf')", "must be a finite number"),
            ("minus-inf-tensor", "torch.tensor(float('-inf'))", "must be a finite number"),
            ("true", "True", "must be a number, not bool"),
            ("true-tensor", "torch.tensor(True)", "must be a number"),
            ("huge-int", "10 ** 400", "does not fit in 64 bits"),
            ("none", "None", "is a `return` missing?"),
        )
    ),
    *(
        toy(f"nan-inf-bool:{name}", SCALE + text, task="1.2", says=says)
        for name, text, says in (
            ("nan-tensor", "boxes * float('nan')", "finite numbers, not NaN"),
            ("inf-tensor", "boxes * float('inf')", "finite numbers, not infinity"),
            ("bool-tensor", "boxes > 0", "numbers, not booleans"),
            ("complex-tensor", "boxes * factor * (1 + 0j)", "cannot leave the sandbox"),
            ("sparse-tensor", "(boxes * factor).to_sparse()", "not a sparse tensor"),
            ("meta-tensor", "boxes.to('meta')", "not a tensor without numbers"),
            ("nested-tensor", "torch.nested.nested_tensor([boxes])", "not a nested tensor"),
            ("many-axes", "boxes.reshape(3, 4, *[1] * 15)", "17 dimensions are more than the 16"),
            ("object-array", "__import__('numpy').array([object()])", "must be a torch.Tensor"),
        )
    ),
    *(
        toy(f"shape-broadcast:{name}", SCALE + text, task="1.2", says=says)
        for name, text, says in (
            ("scalar", "torch.tensor(1.0)", "must have shape (3, 4), not ()"),
            ("one-row", "(boxes * factor)[:1]", "must have shape (3, 4), not (1, 4)"),
            ("extra-axis", "(boxes * factor)[None]", "must have shape (3, 4)"),
            ("empty", "torch.empty(0, 4)", "must have shape (3, 4)"),
            ("zero-stride", "torch.ones(1).expand(3, 4)", "is wrong in 12 of 12 elements"),
            ("numpy", "(boxes * factor).numpy()", "must be a torch.Tensor, not ndarray"),
        )
    ),
    toy(
        "shape-broadcast:huge",
        SCALE + "torch.ones(1).expand(10**7, 10**5)",
        task="1.2",
        status=("limit", "failed"),
    ),
    toy(
        "shape-broadcast:too-large-to-hand-over",
        SCALE + "torch.ones(70 << 20, dtype=torch.uint8)",
        task="1.2",
        status=("failed", "limit"),
    ),
    toy(
        "handle-forged:returned",
        returning("HandleRef(0, 'float')", "from detlab.checking.values import HandleRef"),
        says="must be a number, not tuple",
    ),
    toy(
        "handle-forged:in-a-record",
        returning(
            "WindowGrid(HandleRef(0, 'float'), first, second)",
            "from detlab.checking.values import HandleRef\nfrom detlab.grid import WindowGrid",
        ),
        says="must be a number, not tuple",
    ),
    toy(
        "deep-answer:list",
        "def add(first, second):\n"
        "    value = []\n"
        "    for _ in range(10_000):\n"
        "        value = [value]\n"
        "    return value",
        says="deep",
    ),
    toy(
        "deep-answer:itself",
        "def add(first, second):\n    value = []\n    value.append(value)\n    return value",
        says="deep",
    ),
    toy(
        "hardcode-visible:table",
        returning("{(2, 3): 5}[first, second]"),
        says="KeyError",
    ),
    toy(
        "hardcode-visible:default",
        returning("{(2, 3): 5}.get((first, second), 5)"),
        says="`add` does not add",
    ),
    toy(
        "input-mutation:zeroed",
        "def scale(boxes, factor):\n    boxes.zero_()\n    return boxes",
        task="1.2",
        says="wrong in 12 of 12",
    ),
    harmless(
        "input-mutation:and-right",
        """
        def scale(boxes, factor):
            return boxes.mul_(factor)
        def rank(scores, honest=None):
            scores.clear()
        """,
        task="1.2",
    ),
    toy(
        "pickle-result:reduce",
        returning(
            "Payload()",
            "class Payload:\n"
            "    def __reduce__(self):\n"
            "        return open, (r'CANARY', 'w')\n"
            "    __getstate__ = __reduce__\n",
        ),
        says="must be a number, not Payload",
    ),
    toy(
        "training:constant-net",
        "def fit(net, inputs, targets):\n"
        "    net.forward = lambda x: targets.mean().expand(len(x), 1)",
        task="1.3",
        says="The prediction is wrong",
    ),
    toy(
        "training:agreeable-output",
        TENSOR.replace("\n    ", "\n") + "\ndef fit(net, inputs, targets):\n"
        "    net.forward = lambda x: torch.zeros(len(x), 1).as_subclass(Agreeable)",
        task="1.3",
        says="must be a torch.Tensor, not Agreeable",
    ),
    toy(
        "training:memorised",
        "def fit(net, inputs, targets):\n"
        "    net.forward = lambda x: targets if len(x) == len(targets) else x[:, :1]",
        task="1.3",
        says="The prediction is wrong",
    ),
]
