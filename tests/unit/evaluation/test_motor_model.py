"""The motor model against closed form, against a naive solution, and against motulator."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from evaluation.motor_model.case import Case, Clamps, Earth, Faults, ShaftLoad, SupplyVoltage
from evaluation.motor_model.integrate import integrate
from evaluation.motor_model.plants import PLANTS, load_for_slip, slip_at_torque, steady_state
from evaluation.motor_model.records import records, with_lower_sideband
from evaluation.motor_model.supply import inputs
from vtox.motor.values.domain import Recording

pytestmark = pytest.mark.long

A = np.exp(2j * np.pi / 3)
plants = pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)


def run(*cases, seconds=2.0, fs_hz=2_000.0, **options):
    return list(records(cases, seconds, fs_hz, **options))


def phasors(record, names):
    """Positive- and negative-sequence amplitudes of three channels, over whole supply periods."""
    a, b, c = (record.channels[n].astype(float) for n in names)
    t = np.arange(len(a)) / record.fs_hz
    z = np.exp(-2j * np.pi * record.case.plant.supply_hz * t)
    space = 2 / 3 * (a + A * b + A**2 * c)
    return np.mean(space * z), np.mean(space * z.conj())


def circuit_currents(plant, slip, v1=1.0):
    """Loop currents of the T circuit, by its impedance matrix: (stator, rotor)."""
    w = 2 * np.pi * plant.supply_hz
    xm = 1j * w * plant.magnetising_h
    z = np.array(
        [
            [plant.stator_ohm + 1j * w * plant.stator_leakage_h + xm, xm],
            [xm, plant.rotor_ohm / slip + 1j * w * plant.rotor_leakage_h + xm],
        ]
    )
    return np.linalg.solve(z, [v1 * plant.peak_phase_v, 0])


def naive(case, t):
    """Stator current (space vector) at times `t`: stator in its own frame, rotor in its own."""
    plant, p = case.plant, case.plant.pole_pairs
    w = 2 * np.pi * plant.supply_hz
    torque = case.load.torque * plant.rated_torque_nm
    slip = slip_at_torque(plant, torque)
    w0 = w * (1 - slip) / p
    inertia = plant.inertia_kgm2 * (1 + case.load.inertia)
    d, gap = complex(case.faults.rotor_asymmetry), case.faults.air_gap

    def currents(psi_s, psi_r, theta):
        lm = plant.magnetising_h * (1 + gap * np.cos(theta))
        inductance = [[plant.stator_leakage_h + lm, lm], [lm, plant.rotor_leakage_h + lm]]
        return np.linalg.solve(inductance, [psi_s, psi_r * np.exp(1j * p * theta)])

    def rate(t, y):
        psi_s, psi_r, speed, theta = y[0] + 1j * y[1], y[2] + 1j * y[3], y[4], y[5]
        i_s, i_r = currents(psi_s, psi_r, theta)
        own = i_r * np.exp(-1j * p * theta)
        v = np.exp(1j * w * t) + np.conj(case.supply.unbalance) * np.exp(-1j * w * t)
        ds = v * plant.peak_phase_v - plant.stator_ohm * i_s
        dr = -plant.rotor_ohm * ((1 + abs(d)) * own + d * np.conj(own))
        made = 1.5 * p * np.imag(np.conj(psi_s) * i_s)
        made -= 0.75 * abs(i_s + i_r) ** 2 * plant.magnetising_h * gap * np.sin(theta)
        q = case.load.quadratic
        load = torque * (1 - q + q * (speed / w0) ** 2)
        return [ds.real, ds.imag, dr.real, dr.imag, (made - load) / inertia, speed]

    start = -1.0  # as long before as the model lets its machine settle
    i_s, i_r = circuit_currents(plant, slip) * np.exp(1j * w * start)
    theta0 = w * start / p
    lm = plant.magnetising_h
    psi_s = (plant.stator_leakage_h + lm) * i_s + lm * i_r
    psi_r = ((plant.rotor_leakage_h + lm) * i_r + lm * i_s) * np.exp(-1j * p * theta0)
    y0 = [psi_s.real, psi_s.imag, psi_r.real, psi_r.imag, w0, theta0]
    y = solve_ivp(rate, (start, t[-1]), y0, rtol=1e-8, atol=1e-9, t_eval=t).y
    return np.array([currents(r[0] + 1j * r[1], r[2] + 1j * r[3], r[5])[0] for r in y.T])


@plants
@pytest.mark.parametrize("load", [0.1, 0.6, 1.0])
def test_a_healthy_machine_has_the_currents_of_its_circuit(plant, load):
    record = run(Case(plant=plant, load=ShaftLoad(torque=load)), seconds=1.0)[0]
    torque = load * plant.rated_torque_nm
    assert record.torque_nm.mean() == pytest.approx(torque, rel=1e-4)
    expected = circuit_currents(plant, record.truth.slip)
    positive, negative = phasors(record, ("ia", "ib", "ic"))
    assert abs(positive - expected[0]) < 1e-4 * abs(expected[0])
    assert abs(negative) < 1e-5 * abs(positive)
    power = 1.5 * plant.pole_pairs * abs(expected[1]) ** 2 * plant.rotor_ohm / record.truth.slip
    assert torque == pytest.approx(power / (2 * np.pi * plant.supply_hz), rel=1e-3)
    speed = 60 * plant.supply_hz / plant.pole_pairs * (1 - record.truth.slip)
    assert record.speed_rpm.mean() == pytest.approx(speed, rel=1e-6)


@plants
def test_rated_torque_comes_near_the_published_rated_speed(plant):
    slip = slip_at_torque(plant, plant.rated_torque_nm)
    rated = 1 - plant.rated_speed_rpm / 60 * plant.pole_pairs / plant.supply_hz
    assert slip == pytest.approx(rated, rel=0.15)
    assert plant.nameplate.rated_slip == pytest.approx(slip, abs=4e-4)
    assert load_for_slip(plant, slip) == pytest.approx(1.0, rel=1e-6)


def test_a_torque_beyond_breakdown_is_an_error():
    plant = PLANTS["500hp"]
    with pytest.raises(ValueError, match="breakdown"):
        slip_at_torque(plant, 10 * plant.rated_torque_nm)


@plants
def test_supply_unbalance_gives_the_negative_sequence_of_slip_two_minus_s(plant):
    unbalance = 0.02 * np.exp(0.7j)
    heavy = ShaftLoad(torque=0.8, inertia=300.0)
    record = run(Case(plant=plant, supply=SupplyVoltage(unbalance=unbalance), load=heavy))[0]
    v1, v2 = phasors(record, ("va", "vb", "vc"))
    assert np.conj(v2 / v1) == pytest.approx(unbalance, rel=1e-5)
    expected = np.conj(circuit_currents(plant, 2 - record.truth.slip, unbalance)[0])
    _, negative = phasors(record, ("ia", "ib", "ic"))
    assert abs(negative - expected) < 0.01 * abs(expected)


def rotor_asymmetry_circuit(plant, slip, d):
    """Stator currents at f and (1-2s)f of a rotor with asymmetry d at constant speed.

    The conjugate of the rotor's current at s*f drives the one at -s*f and back: four linear
    equations in (i_s, i_r, conj(i_s'), conj(i_r')).
    """
    w = 2 * np.pi * plant.supply_hz
    lm = plant.magnetising_h
    ls, lr = plant.stator_leakage_h + lm, plant.rotor_leakage_h + lm
    r = plant.rotor_ohm
    below = (1 - 2 * slip) * w
    matrix = np.array(
        [
            [plant.stator_ohm + 1j * w * ls, 1j * w * lm, 0, 0],
            [1j * slip * w * lm, r * (1 + abs(d)) + 1j * slip * w * lr, 0, r * d],
            [0, 0, plant.stator_ohm - 1j * below * ls, -1j * below * lm],
            [0, r * np.conj(d), 1j * slip * w * lm, r * (1 + abs(d)) + 1j * slip * w * lr],
        ]
    )
    i = np.linalg.solve(matrix, [plant.peak_phase_v, 0, 0, 0])
    return i[0], np.conj(i[2])


@plants
@pytest.mark.parametrize("d", [0.003, 0.03 * np.exp(1.0j)])
def test_at_constant_speed_the_lower_sideband_is_that_of_the_circuit(plant, d):
    heavy = ShaftLoad(torque=0.8, inertia=1e5)
    case = Case(plant=plant, load=heavy, faults=Faults(rotor_asymmetry=d))
    truth = run(case, seconds=2.0, fs_hz=1_000.0)[0].truth
    first, lower = rotor_asymmetry_circuit(plant, truth.slip, d)
    assert truth.lower_dbc == pytest.approx(20 * np.log10(abs(lower / first)), abs=0.1)
    assert truth.upper_dbc < truth.lower_dbc - 25


def test_sidebands_are_at_one_plus_minus_twice_the_slip():
    case = Case(plant=PLANTS["3hp"], faults=Faults(rotor_asymmetry=0.04))
    record = run(case, seconds=10.0)[0]
    x = record.channels["ia"].astype(float)
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    hz = np.fft.rfftfreq(len(x), 1 / record.fs_hz)
    for sign in (-1, 1):
        expected = record.truth.supply_hz * (1 + 2 * sign * record.truth.slip)
        near = np.abs(hz - expected) < 1.0
        assert hz[near][np.argmax(spectrum[near])] == pytest.approx(expected, abs=0.06)


def test_speed_ripple_moves_the_sideband_from_the_lower_to_the_upper_line():
    faults = Faults(rotor_asymmetry=0.02)
    light, heavy = run(
        *(
            Case(plant=PLANTS["500hp"], load=ShaftLoad(inertia=j), faults=faults)
            for j in (0.2, 50.0)
        ),
        seconds=5.0,
        fs_hz=1_000.0,
    )
    assert light.truth.lower_dbc < heavy.truth.lower_dbc - 3
    assert light.truth.upper_dbc > heavy.truth.upper_dbc + 15


def test_cases_get_the_requested_lower_sideband():
    plant = PLANTS["50hp"]
    wanted = [-60.0, -54.0, -42.0] * 2
    slips = [0.01] * 3 + [0.03] * 3
    cases = [Case(plant=plant, load=ShaftLoad(torque=load_for_slip(plant, s))) for s in slips]
    made = run(*with_lower_sideband(cases, wanted), seconds=5.0, fs_hz=1_000.0)
    assert [r.truth.lower_dbc for r in made] == pytest.approx(wanted, abs=0.3)


@plants
@pytest.mark.parametrize("phase", ["a", "b", "c"])
def test_shorted_turns_give_the_negative_sequence_of_their_loop(plant, phase):
    mu, contact = 0.01, 0.002 * plant.stator_ohm
    faults = Faults(shorted_turns=mu, shorted_phase=phase, short_ohm=contact)
    healthy, shorted = run(
        Case(plant=plant), Case(plant=plant, faults=faults), seconds=1.0, fs_hz=6_000.0
    )
    positive, negative = phasors(shorted, ("ia", "ib", "ic"))
    w = 2 * np.pi * plant.supply_hz
    winding = plant.stator_ohm + 1j * w * plant.stator_leakage_h
    loop = mu * plant.peak_phase_v / (contact + mu * (1 - 2 * mu / 3) * winding)
    turn = "abc".index(phase) * 2 * np.pi / 3
    assert abs(negative - np.conj(mu * loop / 3) * np.exp(2j * turn)) < 0.01 * abs(mu * loop / 3)
    added = positive - phasors(healthy, ("ia", "ib", "ic"))[0]
    assert abs(added - mu * loop / 3) < 0.01 * abs(mu * loop / 3)
    assert shorted.truth.negative_ratio == pytest.approx(abs(negative / positive), rel=0.01)


def test_a_short_begins_and_ends_on_time():
    faults = Faults(shorted_turns=0.05, short_on_s=0.5, short_off_s=1.25)
    plant = PLANTS["2kw2"]
    healthy, shorted = run(Case(plant=plant), Case(plant=plant, faults=faults))
    extra = shorted.channels["ia"] - healthy.channels["ia"]
    assert np.all(extra[:1_000] == 0)
    assert np.all(extra[2_500:] == 0)
    assert np.abs(extra[1_040:2_460]).max() > 0.1 * np.abs(healthy.channels["ia"]).max()


@pytest.mark.parametrize(
    "faults",
    [Faults(rotor_asymmetry=0.02j), Faults(air_gap=0.02)],
    ids=["asymmetry", "air gap"],
)
def test_the_fast_solution_equals_the_naive_one(faults):
    case = Case(plant=PLANTS["2kw2"], supply=SupplyVoltage(unbalance=0.01j), faults=faults)
    record = run(case, seconds=0.2)[0]
    expected = naive(case, np.arange(400) / 2_000.0).real
    assert np.abs(record.channels["ia"] - expected).max() < 3e-4 * np.abs(expected).max()


def test_the_air_gap_modulates_at_the_speed_of_the_shaft():
    plant = PLANTS["3hp"]
    truth = run(*(Case(plant=plant, faults=Faults(air_gap=a)) for a in (0.005, 0.01)))
    levels = [r.truth.rotation_lower_dbc for r in truth]
    assert levels[1] - levels[0] == pytest.approx(6.02, abs=0.1)
    assert -60 < levels[1] < -45


def test_motulator_agrees_on_the_healthy_machine():
    model = pytest.importorskip("motulator.drive.model", reason="motulator is not installed")
    from motulator.drive.utils import InductionMachineInvGammaPars, InductionMachinePars

    # Its machine of the 2.2 kW examples is ours, given as inverse gamma.
    plant = PLANTS["2kw2"]
    pars = InductionMachinePars.from_inv_gamma_model_pars(
        InductionMachineInvGammaPars(
            n_p=plant.pole_pairs,
            R_s=plant.stator_ohm,
            R_R=plant.rotor_ohm,
            L_sgm=plant.stator_leakage_h,
            L_M=plant.magnetising_h,
        )
    )
    machine = model.InductionMachine(pars)
    w = 2 * np.pi * plant.supply_hz
    case = Case(plant=plant, load=ShaftLoad(torque=0.7, quadratic=0.0, inertia=0.0))
    torque = 0.7 * plant.rated_torque_nm

    def rate(t, y):
        machine.state.psi_ss, machine.state.psi_rs = y[0] + 1j * y[1], y[2] + 1j * y[3]
        machine.inp.u_ss, machine.inp.w_M = plant.peak_phase_v * np.exp(1j * w * t), y[4]
        machine.set_outputs(t)
        ds, dr = machine.rhs()
        dw = (machine.out.tau_M - torque * min(1.0, t / 0.5)) / plant.inertia_kgm2
        return [ds.real, ds.imag, dr.real, dr.imag, dw]

    t = 3.0 + np.arange(200) / 2_000.0
    y = solve_ivp(
        rate, (0.0, t[-1]), [0, 0, 0, 0, w / plant.pole_pairs], rtol=1e-7, atol=1e-8, t_eval=t
    ).y
    machine.state.psi_ss, machine.state.psi_rs = y[0] + 1j * y[1], y[2] + 1j * y[3]
    record = run(case, seconds=0.1)[0]
    ours = record.channels["ia"]
    assert np.abs(machine.i_ss.real - ours).max() < 2e-3 * np.abs(ours).max()
    assert y[4].mean() * 30 / np.pi == pytest.approx(record.speed_rpm.mean(), rel=1e-5)
    assert machine.tau_M.mean() == pytest.approx(record.torque_nm.mean(), rel=1e-3)


def test_the_supply_wanders_by_its_rms_and_the_machine_follows():
    cases = [
        Case(plant=PLANTS["3hp"], seed=s, supply=SupplyVoltage(wander_hz=0.02)) for s in range(40)
    ]
    drive = inputs(cases, 0.0, 10.0)
    t = np.arange(0.0, 10.0, 0.05)
    hz = np.diff(drive.excess(t), axis=0) / (2 * np.pi * 0.05)
    assert np.sqrt(np.mean(np.var(hz, axis=0))) == pytest.approx(0.02, rel=0.2)
    still, wandering = run(Case(plant=PLANTS["3hp"]), cases[0], seconds=5.0)
    assert wandering.truth.slip == pytest.approx(still.truth.slip, rel=0.02)


def test_an_oscillating_load_modulates_the_speed_at_its_frequency():
    load = ShaftLoad(torque=0.7, swing=0.05, swing_hz=3.0)
    record = run(Case(plant=PLANTS["3hp"], load=load), seconds=5.0)[0]
    speed = record.speed_rpm.astype(float) - record.speed_rpm.mean()
    spectrum = np.abs(np.fft.rfft(speed))
    assert np.argmax(spectrum) == 15


def test_slot_harmonics_are_at_the_frequencies_of_the_slip():
    plant = PLANTS["2kw2"]
    case = Case(plant=plant, slot_harmonic=0.005)
    record = run(case, seconds=4.0, fs_hz=10_000.0)[0]
    x = record.channels["ia"].astype(float)
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    hz = np.fft.rfftfreq(len(x), 1e-4)
    for sign in (-1, 1):
        order = plant.rotor_bars / plant.pole_pairs * (1 - record.truth.slip) + sign
        near = np.abs(hz - order * plant.supply_hz) < 5
        assert hz[near][np.argmax(spectrum[near])] == pytest.approx(
            order * plant.supply_hz, abs=0.26
        )
    slow = run(case, replace(case, slot_harmonic=0.0), seconds=0.5, fs_hz=1_000.0)
    assert np.array_equal(slow[0].channels["ia"], slow[1].channels["ia"])


def test_clamps_have_their_gain_delay_and_noise():
    plant = PLANTS["3hp"]
    exact, erring, coarse = run(
        Case(plant=plant),
        Case(plant=plant, clamps=Clamps(gain=(0.005, 0.0, -0.005), delay_s=(0.0, 1e-5, 0.0))),
        Case(plant=plant, clamps=Clamps(noise=0.002, bits=12)),
        seconds=1.0,
    )
    assert np.allclose(erring.channels["ia"], 1.005 * exact.channels["ia"], rtol=1e-5)
    delayed = np.interp(
        np.arange(2_000) - 1e-5 * 2_000, np.arange(2_000), exact.channels["ib"].astype(float)
    )
    peak = np.abs(delayed).max()
    assert np.abs(erring.channels["ib"] - delayed)[1:-1].max() < 3e-3 * peak
    steps = coarse.channels["ia"] / (4.0 * plant.nameplate.rated_current_a / 2_047)
    assert np.abs(steps - np.rint(steps)).max() < 1e-3
    error = coarse.channels["ia"] - exact.channels["ia"]
    assert error.std() == pytest.approx(0.0021 * plant.nameplate.rated_current_a, rel=0.1)


@pytest.mark.parametrize("order", [1, 5])
def test_leakage_is_the_admittance_to_earth(order: int):
    earth = Earth(capacitance_f=(8e-9, 5e-9, 5e-9), conductance_s=(1e-6, 1e-8, 1e-8))
    case = Case(plant=PLANTS["2kw2"], earth=earth, supply=SupplyVoltage(harmonics={5: 0.02}))
    record = run(case, seconds=1.0, fs_hz=10_000.0, channels=("va", "leakage"))[0]
    t = np.arange(10_000) / 10_000
    z = np.exp(-2j * np.pi * 50 * order * t)
    v, i = (np.mean(record.channels[n] * z) for n in ("va", "leakage"))
    # The other two phases cancel the part common to all three.
    assert (i / v).real == pytest.approx(1e-6 - 1e-8, rel=1e-3)
    assert (i / v).imag / (2 * np.pi * 50 * order) == pytest.approx(3e-9, rel=1e-3)


def test_an_inverter_has_its_switching_lines_and_frequency():
    supply = SupplyVoltage(hz=40.0, switching_hz=2_000.0, harmonics={5: 0.02, 7: 0.01})
    record = run(Case(plant=PLANTS["2kw2"], supply=supply), seconds=1.0, fs_hz=10_000.0)[0]
    spectrum = np.abs(np.fft.rfft(record.channels["va"])) * 2 / 10_000
    peak = PLANTS["2kw2"].peak_phase_v * 40 / 50
    for hz, size in (
        (40, 1.0),
        (200, 0.02),
        (280, 0.01),
        (1_920, 0.2),
        (2_080, 0.2),
        (4_040, 0.35),
    ):
        assert spectrum[hz] == pytest.approx(size * peak, rel=0.02)
    assert np.abs(np.fft.rfft(record.channels["ia"]))[1_920] > 0
    with pytest.raises(ValueError, match="harmonic 3"):
        run(Case(plant=PLANTS["2kw2"], supply=SupplyVoltage(harmonics={3: 0.01})), seconds=0.1)


def test_a_record_does_not_depend_on_its_batch():
    noisy = Case(
        plant=PLANTS["50hp"],
        seed=7,
        supply=SupplyVoltage(wander_hz=0.01, amplitude_noise=2e-4),
        load=ShaftLoad(noise=0.01),
        clamps=Clamps(noise=0.001, bits=16),
    )
    alone = run(noisy, seconds=0.5)[0]
    among = run(Case(plant=PLANTS["3hp"]), noisy, replace(noisy, seed=8), seconds=0.5, batch=2)
    assert np.array_equal(alone.channels["ia"], among[1].channels["ia"])
    assert not np.array_equal(alone.channels["ia"], among[2].channels["ia"])
    with_tachometer = alone.recording(("ia", "va"), tachometer=True)
    assert isinstance(with_tachometer, Recording)
    assert with_tachometer.speed_rpm == pytest.approx(alone.speed_rpm.mean())


def test_integration_stays_in_the_steady_state():
    cases = (Case(plant=PLANTS["500hp"], load=ShaftLoad(torque=0.5)),)
    drive = inputs(cases, 0.0, 0.6)
    run_ = integrate(cases, drive, 0.0, 500)
    plant = PLANTS["500hp"]
    steady = steady_state(plant, slip_at_torque(plant, 0.5 * plant.rated_torque_nm))
    assert np.abs(run_.stator_a[:, 0] - steady.stator_a).max() < 1e-6 * abs(steady.stator_a)
