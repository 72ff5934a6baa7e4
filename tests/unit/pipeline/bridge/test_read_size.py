from vtox.pipeline.bridge.read_size import MAX_READ_WINDOWS, READ_BYTES, ReadSize

SMALL = 1000


def grown(size: ReadSize) -> ReadSize:
    while size.ask(MAX_READ_WINDOWS, SMALL) < min(size.ceiling, MAX_READ_WINDOWS):
        size.succeed()
    return size


def test_reads_begin_with_one_window_and_grow() -> None:
    size = ReadSize()
    asked = []
    for _ in range(4):
        asked.append(size.ask(100, SMALL))
        size.succeed()
    assert asked == [1, 2, 4, 8]
    assert grown(size).asked == MAX_READ_WINDOWS
    assert size.ask(100, SMALL) == 100
    assert size.ask(100, READ_BYTES // 3) == 3
    assert size.ask(100, 50 * READ_BYTES) == 1


def test_a_read_that_is_cut_off_is_not_made_again_as_large() -> None:
    size = grown(ReadSize())
    tries = []
    while size.ask(MAX_READ_WINDOWS, SMALL) > 3:  # what the server can carry
        tries.append(size.asked)
        size.fail()
        grown(size)
    assert tries == [512, 256, 128, 64, 32, 16, 8, 4]
    size.succeed()
    size.relax()
    assert grown(size).asked == 4


def test_a_lost_connection_between_reads_only_begins_small() -> None:
    size = grown(ReadSize())
    size.succeed()
    size.fail()
    assert size.ask(MAX_READ_WINDOWS, SMALL) == 1
    assert grown(size).asked == MAX_READ_WINDOWS
