"""Sentences of the alarms about the system itself, raised and cleared."""

from vtox.sentences.sentence import Sentence

_NOTHING = "Nothing: the alarm has ended."

SENTENCES: dict[str, Sentence] = {
    "windows_unread": Sentence(
        "windows are not read in time: one was still unread {age_s:.0f} s after it came",
        "Add workers (VTOX_CLUSTER_WORKERS) or send less; if a queue has no worker or is stalled, "
        "begin there; if nothing is read at all, restart the bridge.",
    ),
    "records_waiting": Sentence(
        "records wait for the workers of a queue: one still waited {age_s:.0f} s after it came",
        "Add workers of the queue that has most windows in flight; if it has none or is stalled, "
        "begin there. The other queues go on until the memory is full.",
    ),
    "windows_read_in_time": Sentence("windows are read in time again", _NOTHING),
    "window_in_no_record": Sentence(
        "a window is in no record {age_s:.0f} s after it came: nobody works on it",
        "Restart the bridge, which builds its records again from the pending list; `XPENDING "
        "motor_raw_data vtox` shows who has read the oldest entries: only the bridge may read with "
        "this group.",
    ),
    "windows_in_records": Sentence("every window is in a record again", _NOTHING),
    "queue_without_worker": Sentence(
        "no worker takes the tasks of queue {queue}: {windows} windows wait for it",
        "Start a worker of that queue: `vtox up` does so by itself, else `celery -A vtox worker "
        "-Q` and the name of the queue; cluster.log says why one ended.",
    ),
    "queue_has_worker": Sentence("queue {queue} has a worker again", _NOTHING),
    "queue_stalled": Sentence(
        "the workers of queue {queue} ({workers}) finish nothing while {windows} windows wait",
        "See in Flower and cluster.log what they do; restart them if they hang: records that are "
        "unfinished are dispatched again.",
    ),
    "queue_moves": Sentence("queue {queue} is finished again window by window", _NOTHING),
    "dead_letters_grow": Sentence(
        "{dead_letters} dead letters in {interval_s:.0f} s: {codes!w}",
        "See machines and reasons with `vtox dead-letters list`, correct the sender, then `vtox "
        "dead-letters replay` those that can be diagnosed now.",
    ),
    "dead_letters_stopped": Sentence("no dead letter in the last {interval_s:.0f} s", _NOTHING),
    "memory_high": Sentence(
        "{used_percent:.0f} % of the server's memory limit is in use",
        "Add workers, raise VTOX_REDIS_MAXMEMORY_MB (your own server: maxmemory), lower "
        "VTOX_RETENTION_S, or send less: at 100 % new windows are refused.",
    ),
    "memory_free": Sentence(
        "the server has memory again: {used_percent:.0f} % of its limit is in use", _NOTHING
    ),
    "clocks_differ": Sentence(
        "the clocks of {hosts!w} differ from the server's by up to {offset_s:+.1f} s",
        "Keep time by NTP on these hosts and on that of the server.",
    ),
    "clocks_agree": Sentence("the clocks of all hosts agree with the server's again", _NOTHING),
    "stream_ids_ahead": Sentence(
        "the newest entry of the raw stream is {ahead_s:.0f} s in the future",
        "Either the server's clock was set back: keep it by NTP; or a sender chose an id: send by "
        "`XADD motor_raw_data *`. Until that time finished windows are not retained.",
    ),
    "stream_ids_right": Sentence("the ids of the raw stream are of the past again", _NOTHING),
    "windows_deleted_unread": Sentence(
        "{windows} windows were deleted before they were read: they are lost",
        "Find who deletes: a sender that gives XADD a MAXLEN, XTRIM or XDEL by hand, or another "
        "program that reads with the group of the bridge; VTOX trims the stream itself.",
    ),
    "recorder_silent": Sentence(
        "the recorder does not report ({silence_s:.0f} s by then): nothing is added to the history",
        "Start `vtox up` or `vtox recorder`; `vtox doctor` says which process was the last one. "
        "What the streams hold when it is back is recorded then.",
    ),
    "history_disk_full": Sentence(
        "the disk of the history is nearly full, {free_mb:.0f} MB are free: it is not written "
        "below {needed_mb:.0f} MB",
        "Free space in VTOX_DATA_DIR, or lower VTOX_HISTORY_RECORDS_HOURS. The recorder goes on by "
        "itself, with all that the streams still hold then.",
    ),
    "history_not_written": Sentence(
        "the recorder cannot write the history",
        "Run `vtox doctor`: its check `recorder` says why. It goes on by itself, with all that the "
        "streams still hold then.",
    ),
    "history_behind": Sentence(
        "the recorder is {behind_s:.0f} s behind: what it has not read takes memory of the server",
        "See its process in `vtox doctor`: a slow disk or database, or a busy host. What is unread "
        "is kept up to 40 % of the server's memory; beyond, the history has a gap.",
    ),
    "history_lost": Sentence(
        "the history in {address} was deleted or replaced; a new one has what the streams still "
        "held",
        "Find out who did it. `vtox restore` brings back a backup; the check `recorder` of "
        "`vtox doctor` says what is missing.",
    ),
    "history_recorded": Sentence("the history is recorded again", _NOTHING),
    "notifier_silent": Sentence(
        "the notifier does not report ({silence_s:.0f} s by then): no alarm is sent to anybody",
        "Start `vtox up` or `vtox notify run`; what is not sent waits.",
    ),
    "nobody_notified": Sentence(
        "the notifier cannot work: no alarm is sent to anybody",
        "Run `vtox doctor`: its check `notifier` says why. It goes on by itself, and sends what "
        "waits.",
    ),
    "target_not_reached": Sentence(
        "{target} has not taken a message for {failures} attempts in a row; {waiting} wait for it",
        "Run `vtox notify test` with its name, which says what it answers.",
    ),
    "messages_not_delivered": Sentence(
        "{messages} messages were given up after days of attempts, or were refused for good",
        "See `vtox notify status`; then `vtox notify retry` or `vtox notify discard`.",
    ),
    "notification_goes_on": Sentence("nothing hinders notification any more", _NOTHING),
    "process_absent": Sentence(
        "{process} does not start on {hosts!w}; the others go on without it",
        "Run `vtox doctor`: its check of that process says why. It is tried again every minute.",
    ),
    "process_back": Sentence("{process} runs again, or is wanted no longer", _NOTHING),
    "deletion_stopped": Sentence(
        "no further window was deleted unread",
        "Nothing more: the windows that were deleted are lost; send them again if you have them.",
    ),
}
