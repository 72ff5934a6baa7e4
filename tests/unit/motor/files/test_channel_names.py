import pytest

from vtox.motor.files.channel_names import factor, meaning


@pytest.mark.parametrize(
    ("name", "quantity", "unit"),
    [
        ("ia", "ia", ""),
        ("ia_a", "ia", "a"),
        ("IB_mA", "ib", "ma"),
        ("Ic [mA]", "ic", "ma"),
        ("I_A (A)", "ia", "a"),
        ("IL2", "ib", ""),
        ("I1", "ia", ""),
        ("Iu", "ia", ""),
        ("i_w / A", "ic", "a"),
        ("Current Phase B [A]", "ib", "a"),
        ("Phase A current, A", "ia", "a"),
        ("Stator current L3", "ic", ""),
        ("current_b", "ib", ""),
        ("A相电流", "ia", ""),
        ("B相电流(mA)", "ib", "ma"),
        ("定子C相电流（A）", "ic", "a"),
        ("电流A相", "ia", ""),
        ("电流B", "ib", ""),
        ("C相电流Ic", "ic", ""),
        ("U相电流", "ia", ""),
        ("三相电流A【安】", "ia", "安"),
        ("va_kV", "va", "kv"),
        ("Ub", "vb", ""),
        ("U_L3 [V]", "vc", "v"),
        ("Van", "va", ""),
        ("B相电压(V)", "vb", "v"),
        ("电压UC", "vc", ""),
        ("vibration_m_s2", "vibration", "m_s2"),
        ("vibration_y_mg", "vibration_y", "mg"),
        ("de_g", "vibration", "g"),
        ("Acc X [m/s²]", "vibration", "m/s2"),
        ("加速度X", "vibration", ""),
        ("加速度(Y)", "vibration_y", ""),
        ("Z轴振动加速度(g)", "vibration_z", "g"),
        ("X方向振动", "vibration", ""),
        ("轴承驱动端垂直振动(mm/s²)", "vibration_y", "mm/s2"),
        ("leakage_mA", "leakage", "ma"),
        ("Residual current [mA]", "leakage", "ma"),
        ("漏电流(mA)", "leakage", "ma"),
        ("泄漏电流", "leakage", ""),
        ("speed_rpm", "speed", "rpm"),
        ("转速(r/min)", "speed", "r/min"),
        ("电机转速", "speed", ""),
        ("Shaft speed (Hz)", "speed", "hz"),
        ("temperature_c", "temperature", "c"),
        ("绕组温度(℃)", "temperature", "°c"),
        ("Uab", "vab", ""),
        ("U_L2L3 [V]", "vbc", "v"),
        ("U31", "vca", ""),
        ("线电压AB", "vab", ""),
        ("Voltage R-S", "vab", ""),
        ("Line voltage L1-L2", "vab", ""),
        ("tension composée U23", "vbc", ""),
        ("time_s", "time", "s"),
        ("Time [ms]", "time", "ms"),
        ("时间", "time", ""),
        ("时间ms", "time", "ms"),
        ("采样时间(秒)", "time", "秒"),
        ("timestamp_us", "time", "us"),
    ],
)
def test_names_that_are_understood(name: str, quantity: str, unit: str) -> None:
    found = meaning(name)
    assert found is not None
    assert (found.quantity, found.unit) == (quantity, unit)
    assert unit == "" or factor(quantity, unit) is not None


@pytest.mark.parametrize(
    "name",
    [
        "torque",
        "Uba",
        "线电压A",
        "线电压",
        "Voltage BA",
        "U13",
        "nde_g",
        "current_ratio",
        "index",
        "序号",
        "功率",
        "DC bus voltage",
        "tension",
        "isolation",
        "备注",
        "",
        "1",
        "[A]",
    ],
)
def test_names_that_are_left_to_the_user(name: str) -> None:
    assert meaning(name) is None


def test_certainty() -> None:
    assert [meaning(n).certainty for n in ("ia", "IL1", "电流(A)", "水平振动")] == [  # type: ignore[union-attr]
        "stated",
        "likely",
        "guess",
        "guess",
    ]


def test_a_velocity_is_no_acceleration() -> None:
    found = meaning("X方向振动(mm/s)")
    assert found is not None
    assert factor(found.quantity, found.unit) is None


@pytest.mark.parametrize(
    ("quantity", "unit", "expected"),
    [
        ("ia", "mA", 1e-3),
        ("ia", "安", 1.0),
        ("va", "千伏", 1e3),
        ("vibration", "m/s²", 1.0),
        ("vibration", "G", 9.80665),
        ("vibration", "m·s⁻²", None),
        ("speed", "r/min", 1.0),
        ("speed", "Hz", 60.0),
        ("ia", "V", None),
    ],
)
def test_units(quantity: str, unit: str, expected: float | None) -> None:
    assert factor(quantity, unit) == (pytest.approx(expected) if expected else None)
