"""Parts of spectra that are the same for all kinds."""

import tracemalloc

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp.envelope_spectrum import over_floor
from vtox.motor.diagnosis.spectra.spectrum import noise_floor
from vtox.motor.values.arrays import Float64


def noise(bins: int) -> Float64:
    return np.random.default_rng(2).exponential(size=bins)


def test_the_floor_of_noise_is_its_power() -> None:
    assert np.mean(noise_floor(7.0 * noise(20_000))) == pytest.approx(7.0, rel=0.05)


@pytest.mark.parametrize("bins", [1, 3, 64, 100])
def test_a_short_spectrum_has_a_floor_at_every_bin(bins: int) -> None:
    floor = noise_floor(noise(bins))
    assert floor.shape == (bins,)
    assert (floor > 0).all()


def test_the_floor_follows_the_noise_and_not_a_line() -> None:
    power = noise(6400) * np.repeat([1.0, 100.0], 3200)
    power[1000:1010] = 1e6
    floor = noise_floor(power)
    assert floor[1005] == pytest.approx(1.0, rel=0.6)
    assert floor[6000] == pytest.approx(100.0, rel=0.6)


def test_it_is_that_of_the_envelope_spectra() -> None:
    power = noise(6400)
    envelope = power / over_floor(power[None].astype(np.float32), 1.0)[0]
    assert np.allclose(envelope[32:-32], noise_floor(power)[32:-32], rtol=0.15)


def test_a_long_record_takes_little_memory() -> None:
    power = noise(400_000)  # 40 s at 10 kHz
    tracemalloc.start()
    noise_floor(power)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
