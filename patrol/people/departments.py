"""The member departments of the river chief office (成员单位): who can be called in to deal with an issue."""

from typing import NamedTuple

from patrol.foundation.texts import Text


class Department(NamedTuple):
    """One bureau of the district's government, named by a short code."""

    code: str
    name: Text
    also: tuple[str, ...] = ()
    """What districts call it besides, now or before the reform of 2018, as the end of a title."""


_D, _T = Department, Text

# The bureaus that the national opinions on the system and most districts name; a district's own titles may differ.
_ROWS = (
    _D("water",             _T("水利局",         "Water Resources Bureau"), ("水务局",)),
    _D("ecology",           _T("生态环境局",     "Ecology and Environment Bureau"), ("环境保护局", "环保局")),
    _D("housing",           _T("住房和城乡建设局", "Housing and Urban-Rural Development Bureau"), ("住建局", "城乡建设局")),
    _D("agriculture",       _T("农业农村局",     "Agriculture and Rural Affairs Bureau"), ("农业局",)),
    _D("natural_resources", _T("自然资源局",     "Natural Resources Bureau"), ("国土资源局",)),
    _D("transport",         _T("交通运输局",     "Transport Bureau")),
    _D("police",            _T("公安局",         "Public Security Bureau")),
    _D("forestry",          _T("林业局",         "Forestry Bureau")),
    _D("urban_management",  _T("城市管理局",     "Urban Management Bureau"), ("综合行政执法局", "城市管理和综合执法局", "城市管理行政执法局", "城管局")),
    _D("emergency",         _T("应急管理局",     "Emergency Management Bureau"), ("应急局",)),
)  # fmt: skip

DEPARTMENTS: dict[str, Department] = {row.code: row for row in _ROWS}
"""Every department by its code, in the order in which lists show them."""
