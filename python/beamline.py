"""Results of beamline as pandas frames and xarray datasets.

    import beamline
    result = beamline.open("results/leo-demo")
    result.table("figures")             # a frame; units and descriptions in frame.attrs
    result.dataset("outcomes")          # an xarray dataset, units in the variables' attributes

One file, on h5py and numpy; pandas and xarray are needed for frames and datasets alone. The layout of the
files, column by column, is docs/archive-format.md. Copy this file beside your notebook, or put its folder on
PYTHONPATH.
"""

import hashlib
import json
import pathlib

import h5py
import numpy

__all__ = ["Result", "open"]

# The dimension that a column counts, by its name; others share the row of their table.
_CODES = {"region": "region_names", "kind": "kind_names", "worst": "worst_names"}


def open(path):
    """The finished result in a results folder, or in its file."""
    return Result(path)


class Result:
    """A finished campaign or mission. Use it in a `with` statement, or call `close`."""

    def __init__(self, path):
        path = pathlib.Path(path)
        self.path = path / "archive.h5" if path.is_dir() else path
        if not self.path.is_file():
            raise FileNotFoundError(f"{path}: expected archive.h5 of a finished run")
        self.file = h5py.File(self.path, "r")
        content = self.file.attrs.get("content", b"")
        content = content.decode() if isinstance(content, bytes) else content
        if content not in ("campaign", "mission"):
            self.file.close()
            raise ValueError(f"{self.path}: expected a finished campaign or mission, found {content!r}")
        #: "campaign" or "mission".
        self.kind = content

    def close(self):
        """Closes the file."""
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def header(self):
        """What was run, on what: a dictionary."""
        return json.loads(self.file["json/header"][:].tobytes())

    @property
    def summary(self):
        """What follows from the rows: a dictionary."""
        return json.loads(self.file["json/summary"][:].tobytes())

    @property
    def schemes(self):
        """The names of the schemes, in the order of their indices."""
        schemes = self.header["schemes"]
        return [scheme.get("definition", scheme)["name"] for scheme in schemes]

    @property
    def tables(self):
        """The names of all tables: rows first, then those of the summary, then those of the header."""
        rows, columns = [], []

        def visit(name, item):
            if name.startswith("json"):
                return
            if isinstance(item, h5py.Dataset) and item.dtype.names:
                rows.append(name)
            elif isinstance(item, h5py.Group) and _is_table(item):
                columns.append(name)

        self.file.visititems(visit)
        columns.sort(key=lambda name: (not name.startswith("summary/"), name))
        return rows + [name.removeprefix("summary/") for name in columns]

    def columns(self, name):
        """The columns of a table: (values, unit, description) by name."""
        item = self._find(name)
        if isinstance(item, h5py.Dataset):
            rows = item[:]
            units = _texts(item.attrs.get("units", []), len(rows.dtype.names))
            about = _texts(item.attrs.get("descriptions", []), len(rows.dtype.names))
            return {
                column: (self._decoded(item, column, rows[column]), unit, text)
                for column, unit, text in zip(rows.dtype.names, units, about)
            }
        found = {}
        for column, dataset in item.items():
            if isinstance(dataset, h5py.Dataset):
                unit, about = (_text(dataset.attrs.get(key, b"")) for key in ("unit", "description"))
                found[column] = (_values(dataset[:]), unit, about)
        return found

    def table(self, name):
        """A table as a pandas frame. `frame.attrs` has `units` and `descriptions` by column."""
        import pandas

        columns = self.columns(name)
        frame = pandas.DataFrame({column: values for column, (values, _, _) in columns.items()})
        frame.attrs["units"] = {column: unit for column, (_, unit, _) in columns.items()}
        frame.attrs["descriptions"] = {column: about for column, (_, _, about) in columns.items()}
        if "scheme" in frame and frame["scheme"].dtype.kind in "ui" and self.kind == "campaign":
            frame.insert(0, "scheme_name", [self.schemes[index] for index in frame["scheme"]])
        return frame

    def dataset(self, name):
        """A table as an xarray dataset: a variable a column along the dimension `row`, with its unit."""
        import xarray

        variables = {}
        for column, (values, unit, about) in self.columns(name).items():
            variables[column] = ("row", values, {"units": unit, "description": about})
        return xarray.Dataset(variables, attrs={"source": str(self.path), "table": name})

    def outcomes(self):
        """Outcomes of a campaign as an xarray dataset over the dimensions `trial` and `scheme`."""
        import xarray

        if self.kind != "campaign":
            raise ValueError(f"{self.path}: expected a campaign, found a {self.kind}")
        columns = self.columns("outcomes")
        schemes = self.schemes
        variables = {}
        for column, (values, unit, about) in columns.items():
            if column not in ("trial", "scheme"):
                by_trial = numpy.asarray(values).reshape(-1, len(schemes))
                variables[column] = (("trial", "scheme"), by_trial, {"units": unit, "description": about})
        trials = numpy.asarray(columns["trial"][0]).reshape(-1, len(schemes))[:, 0]
        return xarray.Dataset(variables, coords={"trial": trials, "scheme": schemes})

    def verify(self):
        """Raises ValueError where the rows of a table are not those that were written."""

        def visit(name, item):
            if isinstance(item, h5py.Dataset) and "sha256" in item.attrs:
                expected = _text(item.attrs["sha256"])
                found = hashlib.sha256(item[:].tobytes()).hexdigest()
                if found != expected:
                    raise ValueError(f"{self.path}: expected rows of {name} with SHA-256 {expected}, found {found}")

        self.file.visititems(visit)

    def _find(self, name):
        for path in (f"summary/{name}", name):
            if path in self.file:
                item = self.file[path]
                if isinstance(item, h5py.Dataset) and item.dtype.names or _is_table(item):
                    return item
        raise KeyError(f"{self.path}: expected one of {', '.join(self.tables)}, found {name!r}")

    def _decoded(self, item, column, values):
        """Values of a column, codes by the names that stand beside them."""
        names = item.attrs.get(_CODES.get(column, f"{column}_names"))
        if names is None:
            return values
        names = numpy.array([_text(name) for name in names] + [""], dtype=object)
        return names[numpy.where(values < len(names) - 1, values, len(names) - 1).astype(int)]


def _is_table(item):
    """Whether a group is a table: all in it are columns of one length."""
    if not isinstance(item, h5py.Group) or len(item) == 0:
        return False
    members = list(item.values())
    columns = [member for member in members if isinstance(member, h5py.Dataset)]
    return len(columns) == len(members) and all("unit" in column.attrs for column in columns)


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _texts(values, count):
    texts = [_text(value) for value in values]
    return texts if len(texts) == count else [""] * count


def _values(values):
    if values.dtype.kind == "S":
        return numpy.array([value.decode() for value in values], dtype=object)
    return values
