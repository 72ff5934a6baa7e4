"""A rolling bearing, as a nameplate describes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from vtox.motor.errors import NameplateError
from vtox.motor.values.bearing_catalogue import catalogued, orders_of_geometry
from vtox.motor.values.nameplate_ranges import validate, validate_place

DEFECTS = ("BPFO", "BPFI", "BSF", "FTF")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """A rolling bearing by its defect orders (multiples of shaft speed), geometry or designation.

    `orders` maps BPFO, BPFI, BSF (ball spin, once per turn of the ball) and FTF to orders. Given
    the geometry instead, `defect_orders` computes them; given the `designation` alone, it takes
    them from the catalogue (`vtox.motor.values.bearing_catalogue`).
    """

    designation: str | None = None
    """as on the bearing: 6205-2RS"""
    orders: Mapping[str, float] | None = None
    """defect frequencies as multiples of the shaft speed"""
    balls: int | None = None
    """number of rolling elements"""
    ball_diameter_mm: float | None = None
    """mm"""
    pitch_diameter_mm: float | None = None
    """mm"""
    contact_angle_deg: float = 0.0
    """degrees; 0 if left out"""

    def __post_init__(self) -> None:
        geometry = (self.balls, self.ball_diameter_mm, self.pitch_diameter_mm)
        if self.designation is not None:
            validate_place("bearing.designation", self.designation, levels=4)
        if self.orders is None and any(g is None for g in geometry):
            if self.designation is None or any(g is not None for g in geometry):
                raise NameplateError(
                    "bearing: give `orders`, or all of balls, ball_diameter_mm, "
                    "pitch_diameter_mm, or a designation such as 6205-2RS",
                    "bearing",
                )
            catalogued(self.designation)
            return
        if self.orders is not None:
            _check_orders(self.orders)
        for name in ("balls", "ball_diameter_mm", "pitch_diameter_mm"):
            object.__setattr__(self, name, validate(f"bearing.{name}", getattr(self, name)))
        angle = validate("bearing.contact_angle_deg", self.contact_angle_deg)
        object.__setattr__(self, "contact_angle_deg", angle or 0.0)
        if self.orders is None and (self.ball_diameter_mm or 0) >= (self.pitch_diameter_mm or 0):
            raise NameplateError(
                "bearing.ball_diameter_mm: must be smaller than pitch_diameter_mm",
                "bearing.ball_diameter_mm",
            )
        if self.orders is None:
            _check_orders(self.defect_orders)

    @property
    def defect_orders(self) -> dict[str, float]:
        """Defect frequencies as multiples of shaft speed."""
        if self.orders is not None:
            return dict(self.orders)
        if self._is_catalogued:
            return dict(catalogued(self.designation or "").orders)
        assert self.balls is not None
        assert self.ball_diameter_mm is not None
        assert self.pitch_diameter_mm is not None
        return orders_of_geometry(
            self.balls, self.ball_diameter_mm, self.pitch_diameter_mm, self.contact_angle_deg
        )

    @property
    def order_tolerance(self) -> float:
        """Relative half width within which the orders hold: of a designation, that of makers."""
        return catalogued(self.designation or "").tolerance if self._is_catalogued else 0.0

    @property
    def _is_catalogued(self) -> bool:
        return self.orders is None and self.balls is None


def _check_orders(orders: Mapping[str, float]) -> None:
    if not isinstance(orders, Mapping) or not orders:
        raise NameplateError(
            f"bearing.orders: {orders!r}, expected a table of some of {', '.join(DEFECTS)}",
            "bearing.orders",
        )
    for name, order in orders.items():
        if name not in DEFECTS:
            raise NameplateError(
                f"bearing.orders: unknown defect {name!r}, expected {', '.join(DEFECTS)}",
                "bearing.orders",
            )
        validate(f"bearing.orders.{name}", order, "bearing.orders")
