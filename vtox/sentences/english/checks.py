"""Sentences of the checks of the running system, and of why its throughput is not known.

What to do may need the values too: it is a template like the sentence.
"""

from vtox.sentences.sentence import Sentence

_BRIDGE = "Start one: `vtox up` or `vtox bridge`."
_MEMORY = "Add workers, raise VTOX_REDIS_MAXMEMORY_MB (your own server: maxmemory), or send less."

SENTENCES: dict[str, Sentence] = {
    "server_denies_info": Sentence("answers, but denies INFO", ""),
    "server_has_no_limit": Sentence("{product} {version}, no memory limit", ""),
    "server_has_memory": Sentence("{product} {version}, {share:.0%} of its memory in use", ""),
    "server_memory_fills": Sentence(
        "{product} {version}: {share:.0%} of its memory is in use", _MEMORY
    ),
    "log_is_written": Sentence("the server's log is written", ""),
    "log_is_not_written": Sentence(
        "the server cannot write its append-only log and refuses windows and results",
        "Is its disk full, or its folder (VTOX_DATA_DIR) read-only? It goes on by itself once it "
        "can write.",
    ),
    "group_reads": Sentence("{group} reads {stream}", ""),
    "no_group": Sentence("no group", _BRIDGE),
    "bridge_owns_stream": Sentence("owns the stream", ""),
    "no_bridge": Sentence("no bridge runs", _BRIDGE),
    "partition_without_bridge": Sentence(
        "no bridge serves these partitions of the stream: {partitions}",
        "Wait some seconds: the bridges that run take them. If it stays, restart the bridges; "
        "`vtox status` shows who serves what.",
    ),
    "bridge_hangs": Sentence(
        "the bridge (pid {pid} on host {host}) has not reported for {silent_s:.0f} s: it hangs, or "
        "was stopped or killed",
        "Wait: `vtox up` ends one that hangs and starts another within a minute; without it, "
        "`kill -9 {pid}` on {host} and `vtox bridge`.",
    ),
    "hosts_agree": Sentence("all on the same terms, VTOX {versions}", ""),
    "hosts_differ": Sentence(
        "the processes do not work on the same terms: {differences}",
        "Nothing while you change one host after another; else set them alike and restart: no "
        "process starts beside others on other terms unless `VTOX_HOSTS_MAY_DIFFER=true`.",
    ),
    "versions_differ": Sentence(
        "different versions of VTOX on the same terms: {versions}",
        "Nothing while an upgrade goes on; else upgrade the hosts that were left.",
    ),
    "records_wait": Sentence("the oldest record of {family} has waited for {age_s:.0f} s", ""),
    "workers_are_busy": Sentence("workers are at work {busy:.0%} of their time", ""),
    "workers_are_idle": Sentence(
        "nothing waits, and workers are at work {busy:.0%} of their time", ""
    ),
    "workers_at_most": Sentence(
        "no more than {workers} workers may run here: at work {busy:.0%} of their time, the oldest "
        "record has waited for {age_s:.0f} s",
        "Raise VTOX_WORKERS_MAX if the host has cores left, or add a host.",
    ),
    "workers_suffice": Sentence(
        "workers are at work {busy:.0%} of their time, the oldest record has waited for "
        "{age_s:.0f} s",
        "",
    ),
    "broker_takes_tasks": Sentence("broker at {address}", ""),
    "broker_is_away": Sentence(
        "not usable: {problem}",
        "Start it, or correct VTOX_BROKER_URL; `vtox doctor` tries to connect.",
    ),
    "load_measured": Sentence(
        "measured on the {sending} machines that send: {windows_per_s:.2f} windows/s of "
        "{window_kb:.1f} kB each, long records of {record_s:.1f} s, {state_kb:.0f} kB of state",
        "",
    ),
    "load_assumed": Sentence(
        "assumed, for none sends: {windows_per_s:.2f} windows/s of {window_kb:.1f} kB a machine, "
        "long records of {record_s:.1f} s, {state_kb:.0f} kB of state",
        "",
    ),
    "server_thread": Sentence(
        "carries {carries} machines: {machines} take {need:.2f} of the {have:.2f} cores that are "
        "planned of the one thread of the server",
        "Divide the machines among cells, one VTOX per server (docs/howto/run-cells.md).",
    ),
    "bridge_thread": Sentence(
        "carries {carries} machines: {machines} take {need:.2f} of the {have:.2f} cores that are "
        "planned of the bridge",
        "Raise VTOX_STREAM_PARTITIONS, and start a second `vtox bridge`.",
    ),
    "recorder_thread": Sentence(
        "carries {carries} machines: {machines} take {need:.2f} of the {have:.2f} cores that are "
        "planned of the recorder",
        "Divide the machines among cells, one VTOX per server (docs/howto/run-cells.md).",
    ),
    "worker_time": Sentence(
        "carries {carries} machines: {machines} keep {need:.2f} workers at work, {have:.2f} are "
        "planned (hosts: {hosts})",
        "Raise VTOX_CLUSTER_WORKERS, or run workers on further hosts.",
    ),
    "host_cores": Sentence(
        "carry {carries} machines: {machines} take {need:.2f} cores, {have:.2f} are planned "
        "(hosts: {hosts})",
        "Run workers on further hosts, or let VTOX use more cores: of the host, by the CPU quota "
        "of container or unit, by affinity.",
    ),
    "host_link": Sentence(
        "carries {carries} machines: {machines} take {need:.0f} of the {have:.0f} MB/s that are "
        "planned of the link of the server's host",
        "Run the workers on the server's host, which has a ring of windows, take a faster link, or "
        "divide the machines among cells.",
    ),
    "open_records": Sentence(
        "fit for {carries} machines: {machines} take {need:.0f} of {have:.0f} MB when all begin at "
        "once. What does not fit is ended early, and `broken_bar` is then unknown",
        "Raise VTOX_OPEN_RECORD_BYTES, and VTOX_REDIS_MAXMEMORY_MB (your own server: maxmemory) "
        "with it: open records take 60 % of that at most.",
    ),
    "server_memory": Sentence(
        "carries {carries} machines: {machines} take {need:.0f} of the {have:.0f} MB that are "
        "planned of its limit. A window stays for {retained_s:.0f} s",
        "Raise VTOX_REDIS_MAXMEMORY_MB (your own server: maxmemory).",
    ),
    "host_memory": Sentence(
        "carries {carries} machines: {machines} take {need:.0f} of {have:.0f} MB, with all "
        "processes",
        "Add memory, lower VTOX_RETENTION_S, or move the workers to another host.",
    ),
    "host_disk": Sentence(
        "carries {carries} machines: {machines} take {need:.0f} of {have:.0f} MB that are free: "
        "the server's log with its rewrite, and the history after two years",
        "Add disk, or keep the history for less time (VTOX_HISTORY_HOURS_DAYS, "
        "VTOX_HISTORY_MINUTES_DAYS, VTOX_HISTORY_RECORDS_HOURS).",
    ),
    "room": Sentence(
        "about {room} more machines like the {machines} that send; limit: {limit}, {share:.0%} in "
        "use",
        "",
    ),
    "room_without_figures": Sentence("unknown: the monitor has no recent figures", ""),
    "room_without_workers": Sentence("unknown: no worker has reported twice yet", ""),
    "room_without_machines": Sentence("unknown: no machine sends", ""),
    "room_without_load": Sentence("unknown: the load of the host is not known", ""),
    "monitor_begins": Sentence("has not looked yet", ""),
    "monitor_looks": Sentence("looked {age_s:.0f} s ago, at an interval of {interval_s:g} s", ""),
    "monitor_is_away": Sentence(
        "looked last {age_s:.0f} s ago, at an interval of {interval_s:g} s",
        "Alarms of the system are of then: restart the bridge; cluster.log says why.",
    ),
    "load_is_carried": Sentence("cores and workers: at most {share:.0%} in use", ""),
    "cores_are_full": Sentence(
        "{share:.0%} of the cores that VTOX may use are in use: windows wait for their turn",
        "Add cores or hosts, or let fewer machines send; `vtox doctor` says what they need.",
    ),
    "workers_are_full": Sentence(
        "the workers of queue {queue} are at work {share:.0%} of their time: windows wait for "
        "their turn",
        "Add workers (VTOX_CLUSTER_WORKERS) if the host has cores left, or hosts; `vtox doctor` "
        "says what the machines need.",
    ),
    "server_is_full": Sentence(
        "the server's thread is at work {share:.0%} of its time: windows wait for their turn",
        "Divide the machines among cells, one VTOX per server (docs/howto/run-cells.md), or let "
        "fewer machines send.",
    ),
    "bridge_is_full": Sentence(
        "the bridge is at work {share:.0%} of its time: windows wait for their turn",
        "Raise VTOX_STREAM_PARTITIONS, and start a second `vtox bridge`.",
    ),
    "answers_in_time": Sentence("answers take up to {p95_s:.1f} s (95 % of the records)", ""),
    "answers_are_late": Sentence(
        "answers are late: they take up to {p95_s:.1f} s (95 % of the records)",
        "See which queue has most windows in flight: it needs workers or cores. Results are "
        "complete, but late; if arrivals stay above the throughput, `backlog` is raised.",
    ),
    "no_recorder": Sentence("none has run yet: no history", ""),
    "recorder_is_away": Sentence(
        "the recorder (pid {pid} on host {host}) has not reported for {silent_s:.0f} s: what the "
        "streams lose now will be missing in the history",
        "Start it: `vtox up` or `vtox recorder`; if it was stopped, `kill -9 {pid}` first.",
    ),
    "process_does_not_start": Sentence(
        "it does not start on {host}: {problem}",
        "Correct that; it is tried again every minute, and cluster.log says more.",
    ),
    "recorder_cannot_record": Sentence(
        "it cannot record: {problem}", "Until then nothing is recorded; cluster.log says more."
    ),
    "recorder_is_behind": Sentence(
        "the recorder is {behind_s:.0f} s behind",
        "Its disk or database is slow, or the host busy; what is unread is kept for hours.",
    ),
    "recorder_lost_history": Sentence(
        "the history in {address} was deleted or replaced; missing: {missed}",
        "Find out who did it; `vtox restore` brings back a backup.",
    ),
    "recorder_missed": Sentence(
        "these were trimmed before they were recorded: {missed}",
        "Raise VTOX_REDIS_MAXMEMORY_MB (your own server: maxmemory): the streams keep what is "
        "unread up to 40 % of it, and for VTOX_RESULTS_HOURS.",
    ),
    "recorder_is_up_to_date": Sentence("up to date {age_s:.0f} s ago", ""),
    "notifier_is_away": Sentence(
        "the notifier (pid {pid} on host {host}) has not reported for {silent_s:.0f} s: nobody is "
        "notified of alarms",
        "Start it: `vtox up` or `vtox notify run`; what is not sent waits. If it was stopped, "
        "`kill -9 {pid}` first.",
    ),
    "notifier_cannot_work": Sentence(
        "nobody is notified of alarms: {problem}", "Nothing is lost; it goes on by itself."
    ),
    "target_fails": Sentence(
        "{target} has refused {failures} times in a row, now by {problem}; {waiting} wait for it",
        "Run `vtox notify test {target}`, which says what it answers.",
    ),
    "messages_given_up": Sentence(
        "{messages} could not be delivered and were given up",
        "See `vtox notify status`; then `vtox notify retry` or `vtox notify discard`.",
    ),
    "notifier_works": Sentence("{targets} targets, {waiting} messages wait", ""),
    "workers_live": Sentence("{workers} live", ""),
    "no_live_worker": Sentence(
        "no live worker",
        "Wait: `vtox up` starts its own again within a minute; without it `celery -A vtox worker "
        "-Q {queue}`.",
    ),
    "worker_without_process": Sentence(
        "a worker is live, but has no process that can take a task of queue {queue}",
        "Wait: it starts one, which takes longer on a busy host; after two minutes it tries again.",
    ),
    # Why a source of the throughput has no figure.
    "metrics_empty": Sentence("performance_metrics is empty", ""),
    "metrics_without_throughput": Sentence(
        "performance_metrics: the last entry has no throughput or no interval_s", ""
    ),
    "metrics_stale": Sentence(
        "performance_metrics is stale: {age_s:.0f} s old at an interval of {interval_s:g} s", ""
    ),
    "activity_unread": Sentence("stream activity: fewer than two readings of the group so far", ""),
    "activity_stale": Sentence("stream activity: the last reading is {age_s:.0f} s old", ""),
    "workers_report_nothing": Sentence("no live worker reports its windows", ""),
}
