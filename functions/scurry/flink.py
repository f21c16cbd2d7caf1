"""Asks models from Flink SQL: a vectorised function of rows.

    from scurry.flink import infer

    function = infer("iris", url="http://127.0.0.1:8000", output="LABEL", result_type=DataTypes.BIGINT())
    tables.create_temporary_function("species", function)
    tables.execute_sql("SELECT id, species(sepal_length, sepal_width, petal_length, petal_width) FROM flowers")

PyFlink holds protobuf to a version of its own, so models are asked over HTTP, by Triton's client, which needs none:
`pip install 'scurry[flink]'` beside apache-flink. Nothing of PyFlink is imported before `infer` is called.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]

BUSY: Final = frozenset({"429", "503"})
"""Statuses after which the same request may succeed: it is sent again until its time is over."""
PAUSE_S: Final = 0.2
DTYPES: Final[Mapping[str, type[np.generic]]] = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64,
}  # fmt: skip


def infer(
    model: str,
    *,
    url: str,
    result_type: Any,  # noqa: ANN401 - one of PyFlink's DataTypes
    version: str = "",
    output: str = "",
    rows: int = 64,
    in_flight: int = 8,
    timeout_s: float = 60.0,
) -> Any:  # noqa: ANN401 - PyFlink's wrapper of a function
    """A function for `create_temporary_function`: columns in, `output` (or the model's only one) out, row by row.

    Each column is one input of the model, in its order; a model of one input also takes several columns of numbers,
    a row of them. A row with a NULL is not asked and gives NULL. So many `rows` go into one request, and `in_flight`
    requests are on their way at once, in each of Flink's slots. What the model refuses fails the statement with the
    gateway's sentence; where it is overloaded, it is asked again until `timeout_s`.
    """
    from pyflink.table.udf import udf  # noqa: PLC0415 - only where PyFlink is

    def connected() -> Asking:
        return Asking(
            model, url=url, version=version, output=output, rows=rows, in_flight=in_flight, timeout_s=timeout_s
        )

    return udf(_function(connected), result_type=result_type, func_type="pandas", name=f"infer_{model}")


def _function(connected: Callable[[], Asking]) -> Any:  # noqa: ANN401 - PyFlink's ScalarFunction
    from pyflink.table.udf import ScalarFunction  # noqa: PLC0415

    class Infer(ScalarFunction):  # type: ignore[misc]
        """Opened once in each slot."""

        def open(self, _: object) -> None:
            """Connect."""
            self._asking = connected()

        def close(self) -> None:
            """Disconnect."""
            self._asking.close()

        def eval(self, *columns: Any) -> Any:  # noqa: ANN401 - series of pandas
            """One value for each row."""
            import pandas as pd  # noqa: PLC0415 - PyFlink brings it

            return pd.Series(self._asking.answer([column.to_numpy() for column in columns]), dtype=object)

    return Infer()


class Asking:
    """Rows in, values out, with several requests on their way; a loop in a thread of its own asks."""

    def __init__(
        self, model: str, *, url: str, version: str, output: str, rows: int, in_flight: int, timeout_s: float
    ) -> None:
        self._model, self._version, self._output = model, version, output
        self._rows, self._timeout_s = max(1, rows), timeout_s
        parts = urlsplit(url if "//" in url else f"//{url}")
        self._address, self._ssl = parts.netloc, parts.scheme == "https"
        self._turns = asyncio.Semaphore(max(1, in_flight))
        self._client: Any = None
        self._inputs: list[Mapping[str, Any]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"infer {model}", daemon=True)
        self._thread.start()

    def answer(self, columns: Sequence[Column]) -> list[Any]:
        """A value for each row; None for one with a NULL. Raises `RuntimeError` with the gateway's sentence."""
        return asyncio.run_coroutine_threadsafe(self._answer(columns), self._loop).result()

    async def _answer(self, columns: Sequence[Column]) -> list[Any]:
        await self._connect()
        there = present(columns)
        arrays = arranged(self._model, [column[there] for column in columns], self._inputs)
        count = int(there.sum())
        cuts = range(0, count, self._rows)
        told = await asyncio.gather(*(self._ask([each[at : at + self._rows] for each in arrays]) for at in cuts))
        values = iter([value for part in told for value in listed(part)])
        return [next(values) if each else None for each in there]

    async def _connect(self) -> None:
        if self._client is None:
            from tritonclient.http import aio  # noqa: PLC0415 - only where rows are asked

            self._client = aio.InferenceServerClient(self._address, ssl=self._ssl)
            told = await self._client.get_model_metadata(self._model, self._version)
            self._inputs = told["inputs"]
            outputs = [each["name"] for each in told["outputs"]]
            self._output = chosen(self._model, outputs, self._output)

    async def _ask(self, arrays: Sequence[Column]) -> Column:
        from tritonclient.http import InferInput, InferRequestedOutput  # noqa: PLC0415
        from tritonclient.utils import InferenceServerException  # noqa: PLC0415

        inputs = []
        for port, array in zip(self._inputs, arrays, strict=True):
            inputs.append(InferInput(port["name"], list(array.shape), port["datatype"]))
            inputs[-1].set_data_from_numpy(array)
        wanted = [InferRequestedOutput(self._output, binary_data=True)]
        end = self._loop.time() + self._timeout_s
        async with self._turns:
            while True:
                try:
                    found = await self._client.infer(self._model, inputs, self._version, wanted)
                except InferenceServerException as refusal:
                    if refusal.status() not in BUSY or self._loop.time() > end:
                        raise RuntimeError(f"Model {self._model!r}: {refusal.message()}") from None
                    await asyncio.sleep(PAUSE_S)
                else:
                    told: Column = found.as_numpy(self._output)
                    return told

    def close(self) -> None:
        """Disconnect and end the thread."""
        if self._client is not None:
            asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __repr__(self) -> str:
        return f"<Asking {self._model} at {self._address}>"


def chosen(model: str, outputs: Sequence[str], named: str) -> str:
    """The output that is asked for, or the only one. Raises `RuntimeError`."""
    if named in outputs:
        return named
    if named:
        raise RuntimeError(f"Model {model!r} has no output {named!r}; it has {list(outputs)}.")
    if len(outputs) != 1:
        raise RuntimeError(f"Model {model!r} has outputs {list(outputs)}: name one by `output`.")
    return outputs[0]


def present(columns: Sequence[Column]) -> npt.NDArray[np.bool_]:
    """Which rows have no NULL: None, or the NaN that Flink makes of a NULL number."""
    there = np.ones(len(columns[0]) if columns else 0, bool)
    for column in columns:
        if column.dtype.kind == "f":
            there &= ~np.isnan(column)
        elif column.dtype == object:
            there &= np.array([each is not None for each in column], bool)
    return there


def arranged(model: str, columns: Sequence[Column], inputs: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The model's inputs, rows first. Raises `RuntimeError` for columns that they cannot be made of."""
    names = [port["name"] for port in inputs]
    if len(inputs) == 1 and len(columns) > 1:
        return [_typed(np.stack(columns, axis=1), inputs[0])]
    if len(columns) != len(inputs):
        raise RuntimeError(f"Model {model!r} takes {len(inputs)} inputs {names}; there are {len(columns)} columns.")
    return [_typed(_rows(column, port), port) for column, port in zip(columns, inputs, strict=True)]


def _rows(column: Column, port: Mapping[str, Any]) -> Column:
    """A column of arrays as one array; a column of values as wide as the input wants a row."""
    if column.dtype == object and len(column) and not isinstance(column[0], str | bytes):
        sizes = {len(each) for each in column}
        if len(sizes) > 1:
            raise RuntimeError(f"Input {port['name']!r}: the rows of its column are of different lengths: {sizes}.")
        column = np.stack([np.asarray(each) for each in column])
    return column[:, None] if column.ndim == 1 and len(port["shape"]) > 1 else column


def _typed(array: Column, port: Mapping[str, Any]) -> Column:
    name, datatype = port["name"], port["datatype"]
    if datatype == "BYTES":
        return array.astype(object)
    if datatype not in DTYPES:
        raise RuntimeError(f"Input {name!r} is {datatype}, which no column can be made into.")
    try:
        made = array.astype(DTYPES[datatype])
    except (TypeError, ValueError) as cause:
        raise RuntimeError(f"Input {name!r} is {datatype}; its column cannot be made into that: {cause}.") from None
    if made.dtype.kind in "iu" and not np.array_equal(made, array):
        raise RuntimeError(f"Input {name!r} is {datatype}; its column has values that are none.")
    return made


def listed(output: Column) -> list[Any]:
    """A value for each row: a number or text where a row has one, else an array."""
    if output.dtype == object:
        flat = [each.decode() if isinstance(each, bytes) else each for each in output.ravel()]
        output = np.array(flat, object).reshape(output.shape)
    if output.ndim == 1 or output.shape[1:] == (1,):
        return list(output.ravel().tolist())
    return list(output.reshape(len(output), -1))
