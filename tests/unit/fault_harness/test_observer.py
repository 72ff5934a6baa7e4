"""The states of several servers are one in the history."""

from faults.observer import summed


def test_states_of_several_servers_are_added_up() -> None:
    first = {
        "pending": 1,
        "queues": {"bearing": 2},
        "counters": {"windows_in": 3, "dead:bearing": 1},
    }
    second = {"pending": 4, "queues": {"bearing": 0}, "counters": {"windows_in": 5}}
    assert summed([first, second]) == {
        "pending": 5,
        "queues": {"bearing": 2},
        "counters": {"windows_in": 8, "dead:bearing": 1},
    }


def test_the_state_of_one_server_is_left_as_it_is() -> None:
    state = {"pending": 0, "queues": {"bearing": 0}, "counters": {"in_flight_windows:bearing": -1}}
    assert summed([state]) == state
