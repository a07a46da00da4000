"""Charts: bars, and plots of curves over two axes, as openpyxl writes them."""

from openpyxl.chart import BarChart, ScatterChart
from openpyxl.chart.axis import NumericAxis, TextAxis
from openpyxl.chart.data_source import AxDataSource, NumDataSource, NumRef, StrRef
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import Series, SeriesLabel, XYSeries

from sheetgpt.book.book import Bars, Curve, Plot
from sheetgpt.book.looks import ACCENT
from sheetgpt.formula.cells import Area

COLORS = (ACCENT, "C2571A", "2E7D4F", "8B3FA0", "52606D", "B8860B")  # one curve after the other
_NAMED = {  # the looks of points that have their name beside them
    "named": ACCENT,
    "answer": "C2571A",
    "name": ACCENT,
}
PALE = "C3DBF5"  # bars beside those that count


def drawn(chart: Bars | Plot) -> BarChart | ScatterChart:
    """A chart of a tab."""
    made = _bars(chart) if isinstance(chart, Bars) else _plot(chart)
    made.width, made.height = chart.width, chart.height
    return made


def _bars(bars: Bars) -> BarChart:
    chart = BarChart()
    chart.type, chart.style = "bar", 10
    for column in range(bars.values.shape[1]):
        values = bars.values.columns(column, column + 1)
        name = bars.names.columns(column, column + 1) if bars.names else None
        series = Series(
            idx=column,
            order=column,
            tx=_label(name) if name else None,
            cat=AxDataSource(strRef=StrRef(f=bars.labels.absolute)),
            val=NumDataSource(numRef=NumRef(f=values.absolute)),
        )
        series.graphicalProperties.solidFill = (ACCENT, PALE)[column]
        chart.series.append(series)
    chart.legend = Legend(legendPos="b") if bars.names else None
    chart.gapWidth = 40
    chart.x_axis.scaling.orientation = "maxMin"  # the likeliest at the top
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0, 1
    chart.y_axis.number_format, chart.y_axis.majorUnit = "0%", 0.25
    chart.y_axis.majorGridlines = None
    chart.x_axis.delete = chart.y_axis.delete = False
    return chart


def _plot(plot: Plot) -> ScatterChart:
    chart = ScatterChart()
    chart.style, chart.scatterStyle = 10, "lineMarker"
    for number, curve in enumerate(plot.curves):
        chart.series.append(_series(curve, number))
    _axis(chart.x_axis, plot.x_title, plot.x_limits)
    _axis(chart.y_axis, plot.y_title, plot.y_limits)
    chart.x_axis.majorGridlines = None
    if plot.log:
        chart.y_axis.scaling.logBase = 10
        chart.y_axis.number_format = "0.0E+00"
        chart.y_axis.crosses, chart.x_axis.crosses = "min", "min"
    has_names = any(curve.look in _NAMED for curve in plot.curves)
    if not plot.y_title or has_names:  # nothing may cross a name
        chart.y_axis.majorGridlines = None
    chart.legend = Legend(legendPos="b") if len(plot.curves) > 1 and not has_names else None
    return chart


def _series(curve: Curve, number: int) -> XYSeries:
    series = XYSeries(
        idx=number,
        order=number,
        tx=_label(curve.name),
        xVal=AxDataSource(numRef=NumRef(f=curve.x.absolute)),
        yVal=NumDataSource(numRef=NumRef(f=curve.y.absolute)),
    )
    color = _NAMED.get(curve.look) or COLORS[number % len(COLORS)]
    line = series.graphicalProperties.line
    if curve.look in ("line", "walk"):
        line.solidFill, line.width = color, 22_000  # in EMU: a little less than two points
    else:
        line.noFill = True
    series.marker = Marker(symbol="none" if curve.look == "line" else "circle", size=7)
    if curve.look == "name":  # the point that keeps the name at a distance is not seen
        series.marker.graphicalProperties.noFill = True
        series.marker.graphicalProperties.line.noFill = True
    elif curve.look != "line":
        series.marker.graphicalProperties.solidFill = color
        series.marker.graphicalProperties.line.solidFill = color
    series.smooth = False
    if curve.look in _NAMED:
        series.dLbls = DataLabelList(
            showSerName=True, showVal=False, showCatName=False, showLegendKey=False,
            showPercent=False, showBubbleSize=False,
            dLblPos=curve.side,
        )  # fmt: skip
    return series


def _label(cell: Area) -> SeriesLabel:
    return SeriesLabel(strRef=StrRef(f=cell.absolute))


def _axis(axis: NumericAxis | TextAxis, title: str, limits: tuple[float, float] | None) -> None:
    axis.delete = not title
    if title:
        axis.title = title
        axis.title.overlay = False
    axis.number_format, axis.tickLblPos = "General", "low"
    if limits is not None:
        axis.scaling.min, axis.scaling.max = limits
