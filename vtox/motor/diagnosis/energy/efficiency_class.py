"""Least efficiency of the classes of IEC 60034-30-1:2014 for motors at a 50 Hz grid."""

from math import log10

from vtox.motor.values.domain import IeClass

# Efficiency in per cent = A x^3 + B x^2 + C x + D with x = log10(rated power in kW), clause 5.4.
_COEFFICIENTS = {
    ("IE1", 2): (0.5234, -5.0499, 17.4180, 74.3171),
    ("IE1", 4): (0.5234, -5.0499, 17.4180, 74.3171),
    ("IE1", 6): (0.0786, -3.5838, 17.2918, 72.2383),
    ("IE2", 2): (0.2972, -3.3454, 13.0651, 79.0770),
    ("IE2", 4): (0.0278, -1.9247, 10.4395, 80.9761),
    ("IE2", 6): (0.0148, -2.4978, 13.2470, 77.5603),
    ("IE3", 2): (0.3569, -3.3076, 11.6108, 82.2503),
    ("IE3", 4): (0.0773, -1.8951, 9.2984, 83.7025),
    ("IE3", 6): (0.1252, -2.6130, 11.9963, 80.4769),
    ("IE4", 2): (0.3400, -3.0479, 10.2930, 84.8208),
    ("IE4", 4): (0.2412, -2.3608, 8.4460, 86.8321),
    ("IE4", 6): (0.3598, -3.2107, 10.7933, 84.1079),
}
# The formula holds from the first to the second, kW; beyond it, to the third, the limit is flat.
_LEAST_KW, _FLAT_KW, _LARGEST_KW = 0.75, 200.0, 1000.0
_NEXT: dict[IeClass, IeClass] = {"IE1": "IE2", "IE2": "IE3", "IE3": "IE4"}


def class_efficiency(ie_class: IeClass, rated_w: float, pole_pairs: int) -> float | None:
    """Return the least efficiency of a class as a ratio, None if the formula does not hold.

    Examples
    --------
    >>> round(class_efficiency("IE3", 11_000, 2), 3)
    0.914
    """
    kw = rated_w / 1000
    coefficients = _COEFFICIENTS.get((ie_class, 2 * pole_pairs))
    if coefficients is None or not _LEAST_KW <= kw <= _LARGEST_KW:
        return None
    x = log10(min(kw, _FLAT_KW))
    a, b, c, d = coefficients
    return (a * x**3 + b * x**2 + c * x + d) / 100


def class_span(ie_class: IeClass, rated_w: float, pole_pairs: int) -> tuple[float, float] | None:
    """Return between which efficiencies a motor of a class lies: its limit, and that of the next.

    Above the highest class of the standard the losses are taken to be a fifth less at best, which
    is the distance from class to class.
    """
    low = class_efficiency(ie_class, rated_w, pole_pairs)
    if low is None:
        return None
    better = _NEXT.get(ie_class)
    high = class_efficiency(better, rated_w, pole_pairs) if better else 1 - 0.8 * (1 - low)
    assert high is not None
    return low, high
