"""Sentences of the checks of the running system, and of why its throughput is not known."""

from vtox.sentences.sentence import Sentence

_BRIDGE = "请启动：`vtox up` 或 `vtox bridge`。"
_MEMORY = "增加工作进程，调大 VTOX_REDIS_MAXMEMORY_MB（自备服务器：maxmemory），或减少发送。"

SENTENCES: dict[str, Sentence] = {
    "server_denies_info": Sentence("有响应，但拒绝 INFO", ""),
    "server_has_no_limit": Sentence("{product} {version}，未设内存上限", ""),
    "server_has_memory": Sentence("{product} {version}，内存已使用 {share:.0%}", ""),
    "server_memory_fills": Sentence("{product} {version}：内存已用到 {share:.0%}", _MEMORY),
    "log_is_written": Sentence("服务器日志写入正常", ""),
    "log_is_not_written": Sentence(
        "服务器无法写入其追加日志，拒收窗口和结果",
        "磁盘是否已满，或其文件夹（VTOX_DATA_DIR）是否只读？恢复写入后会自动继续。",
    ),
    "group_reads": Sentence("{group} 正在读取 {stream}", ""),
    "no_group": Sentence("没有消费组", _BRIDGE),
    "bridge_owns_stream": Sentence("持有数据流", ""),
    "no_bridge": Sentence("没有桥接进程在运行", _BRIDGE),
    "partition_without_bridge": Sentence(
        "数据流的这些分区没有桥接进程：{partitions}",
        "请等待几秒：运行中的桥接进程会接管。若一直如此，请重启桥接进程；"
        "`vtox status` 显示各分区由谁服务。",
    ),
    "bridge_hangs": Sentence(
        "桥接进程（主机 {host}，进程号 {pid}）已 {silent_s:.0f} s 没有报告：已卡死、暂停或被终止",
        "`vtox up` 会在一分钟内结束卡死的进程并另行启动；否则在 {host} 上执行 "
        "`kill -9 {pid}`，再执行 `vtox bridge`。",
    ),
    "hosts_agree": Sentence("条件一致，VTOX {versions}", ""),
    "hosts_differ": Sentence(
        "各进程的工作条件不一致：{differences}",
        "若正在逐台修改主机则无需处理；否则请改为一致并重启：除非设置 "
        "`VTOX_HOSTS_MAY_DIFFER=true`，进程不会在条件不同的进程旁启动。",
    ),
    "versions_differ": Sentence(
        "VTOX 版本不同，但条件一致：{versions}",
        "若正在升级则无需处理；否则请升级余下的主机。",
    ),
    "records_wait": Sentence("{family} 最早的记录已等待 {age_s:.0f} s", ""),
    "workers_are_busy": Sentence("工作进程 {busy:.0%} 的时间在工作", ""),
    "workers_are_idle": Sentence("没有等待，工作进程 {busy:.0%} 的时间在工作", ""),
    "workers_at_most": Sentence(
        "此主机最多运行 {workers} 个工作进程：{busy:.0%} 的时间在工作，"
        "最早的记录已等待 {age_s:.0f} s",
        "若主机还有空闲核心，请调大 VTOX_WORKERS_MAX，或增加主机。",
    ),
    "workers_suffice": Sentence(
        "工作进程 {busy:.0%} 的时间在工作，最早的记录已等待 {age_s:.0f} s", ""
    ),
    "broker_takes_tasks": Sentence("位于 {address}", ""),
    "broker_is_away": Sentence(
        "不可用：{problem}", "请启动它，或更正 VTOX_BROKER_URL；`vtox doctor` 会尝试连接。"
    ),
    "load_measured": Sentence(
        "按正在发送的 {sending} 台电机实测：每台每秒 {windows_per_s:.2f} 个窗口，每个 "
        "{window_kb:.1f} kB，长记录 {record_s:.1f} s，状态 {state_kb:.0f} kB",
        "",
    ),
    "load_assumed": Sentence(
        "没有电机在发送，按假定：每台每秒 {windows_per_s:.2f} 个窗口，每个 {window_kb:.1f} kB，"
        "长记录 {record_s:.1f} s，状态 {state_kb:.0f} kB",
        "",
    ),
    "server_thread": Sentence(
        "可承载 {carries} 台电机：{machines} 台占用服务器的单一线程 {need:.2f} 个核，"
        "计划可用 {have:.2f}",
        "请将电机分到多个单元，每个单元有自己的服务器。",
    ),
    "bridge_thread": Sentence(
        "可承载 {carries} 台电机：{machines} 台占用桥接进程 {need:.2f} 个核，计划可用 {have:.2f}",
        "请调大 VTOX_STREAM_PARTITIONS，并启动第二个 `vtox bridge`。",
    ),
    "recorder_thread": Sentence(
        "可承载 {carries} 台电机：{machines} 台占用记录进程 {need:.2f} 个核，计划可用 {have:.2f}",
        "请将电机分到多个单元，每个单元有自己的服务器。",
    ),
    "worker_time": Sentence(
        "可承载 {carries} 台电机：{machines} 台使 {need:.2f} 个工作进程一直忙碌，计划可用 "
        "{have:.2f} 个（主机 {hosts} 台）",
        "请调大 VTOX_CLUSTER_WORKERS，或在其他主机上运行工作进程。",
    ),
    "host_cores": Sentence(
        "可承载 {carries} 台电机：{machines} 台占用 {need:.2f} 个核，计划可用 {have:.2f} 个"
        "（主机 {hosts} 台）",
        "请在其他主机上运行工作进程，或让 VTOX 可用更多的核"
        "（主机的核数、容器或服务单元的处理器配额、处理器亲和性）。",
    ),
    "host_link": Sentence(
        "可承载 {carries} 台电机：{machines} 台占用服务器所在主机链路 {need:.0f} MB/s，计划可用 "
        "{have:.0f} MB/s",
        "请在服务器所在主机上运行工作进程（那里有窗口的共享内存环），换用更快的链路，"
        "或将电机分到多个单元。",
    ),
    "open_records": Sentence(
        "可容纳 {carries} 台电机：{machines} 台一齐开始发送时占 {need:.0f} MB，可用 {have:.0f} MB。"
        "容纳不下的记录提前结束，`broken_bar` 将为未知",
        "请调大 VTOX_OPEN_RECORD_BYTES，并随之调大 VTOX_REDIS_MAXMEMORY_MB"
        "（自备服务器：maxmemory）：未完成的记录最多占其 60 %。",
    ),
    "server_memory": Sentence(
        "可承载 {carries} 台电机：{machines} 台占用其上限中的 {need:.0f} MB，计划可用 "
        "{have:.0f} MB。窗口保留 {retained_s:.0f} s",
        "请调大 VTOX_REDIS_MAXMEMORY_MB（自备服务器：maxmemory）。",
    ),
    "host_memory": Sentence(
        "可承载 {carries} 台电机：{machines} 台连同全部进程占 {need:.0f} MB，本机有 {have:.0f} MB",
        "请增加内存，调小 VTOX_RETENTION_S，或将工作进程移到其他主机。",
    ),
    "host_disk": Sentence(
        "可承载 {carries} 台电机：{machines} 台占 {need:.0f} MB，可用 {have:.0f} MB："
        "服务器日志及其重写，以及两年后的历史",
        "请增加磁盘空间，或缩短历史的保留时间（VTOX_HISTORY_HOURS_DAYS、"
        "VTOX_HISTORY_MINUTES_DAYS、VTOX_HISTORY_RECORDS_HOURS）。",
    ),
    "room": Sentence(
        "约可再接入 {room} 台与正在发送的 {machines} 台类似的电机；"
        "瓶颈：{limit}，已使用 {share:.0%}",
        "",
    ),
    "room_without_figures": Sentence("未知：监控进程没有近期数据", ""),
    "room_without_workers": Sentence("未知：还没有工作进程报告过两次", ""),
    "room_without_machines": Sentence("未知：没有电机在发送", ""),
    "room_without_load": Sentence("未知：主机负载未知", ""),
    "monitor_begins": Sentence("尚未检查", ""),
    "monitor_looks": Sentence("{age_s:.0f} s 前检查过，间隔 {interval_s:g} s", ""),
    "monitor_is_away": Sentence(
        "最近一次检查在 {age_s:.0f} s 前，间隔 {interval_s:g} s",
        "系统报警停留在当时的状态：请重启桥接进程；cluster.log 记录了原因。",
    ),
    "load_is_carried": Sentence("核心与工作进程：最多已用 {share:.0%}", ""),
    "cores_are_full": Sentence(
        "VTOX 可用的核心已用 {share:.0%}：窗口需要排队",
        "增加核心或主机，或减少发送的电机；`vtox doctor` 给出所需资源。",
    ),
    "workers_are_full": Sentence(
        "队列 {queue} 的工作进程 {share:.0%} 的时间在工作：窗口需要排队",
        "主机尚有空闲核心时增加工作进程（VTOX_CLUSTER_WORKERS），否则增加主机；"
        "`vtox doctor` 给出所需资源。",
    ),
    "server_is_full": Sentence(
        "服务器的线程 {share:.0%} 的时间在工作：窗口需要排队",
        "请将电机分到多个单元，每个单元有自己的服务器，或减少发送的电机。",
    ),
    "bridge_is_full": Sentence(
        "桥接进程 {share:.0%} 的时间在工作：窗口需要排队",
        "请调大 VTOX_STREAM_PARTITIONS，并启动第二个 `vtox bridge`。",
    ),
    "answers_in_time": Sentence("95% 的记录在 {p95_s:.1f} s 内得到结果", ""),
    "answers_are_late": Sentence(
        "结果延迟：95% 的记录需要 {p95_s:.1f} s 才得到结果",
        "查看哪个队列处理中的窗口最多：它需要更多工作进程或核心。结果完整但延迟；"
        "若到达速率持续高于处理速率，将报警 `backlog`。",
    ),
    "no_recorder": Sentence("还没有运行过：没有历史数据", ""),
    "recorder_is_away": Sentence(
        "记录进程（主机 {host}，进程号 {pid}）已 {silent_s:.0f} s 没有报告："
        "数据流此刻移除的内容将不在历史数据中",
        "请启动：`vtox up` 或 `vtox recorder`；若它被暂停，请先执行 `kill -9 {pid}`。",
    ),
    "process_does_not_start": Sentence(
        "无法在 {host} 上启动：{problem}", "请更正；每分钟会重试一次，cluster.log 有更多说明。"
    ),
    "recorder_cannot_record": Sentence(
        "无法记录：{problem}", "在此之前不会记录任何数据；cluster.log 有更多说明。"
    ),
    "recorder_is_behind": Sentence(
        "记录进程落后 {behind_s:.0f} s",
        "其磁盘或数据库过慢，或主机繁忙；未读内容会保留数小时。",
    ),
    "recorder_lost_history": Sentence(
        "{address} 中的历史已被删除或替换；缺失：{missed}",
        "查明是谁所为；`vtox restore` 可恢复备份。",
    ),
    "recorder_missed": Sentence(
        "下列内容在记录之前已被裁剪：{missed}",
        "调大 VTOX_REDIS_MAXMEMORY_MB（自备服务器：maxmemory）：未读内容最多保留到其 40 %，"
        "且不超过 VTOX_RESULTS_HOURS。",
    ),
    "recorder_is_up_to_date": Sentence("{age_s:.0f} s 前已是最新", ""),
    "notifier_is_away": Sentence(
        "通知进程（主机 {host} 上的进程 {pid}）已有 {silent_s:.0f} s 没有报告：报警不会通知任何人",
        "请启动：`vtox up` 或 `vtox notify run`；尚未发送的消息会保留。"
        "若它被暂停，请先执行 `kill -9 {pid}`。",
    ),
    "notifier_cannot_work": Sentence(
        "报警不会通知任何人：{problem}", "不会丢失消息；恢复后会自动继续。"
    ),
    "target_fails": Sentence(
        "{target} 已连续 {failures} 次未接收，最近原因：{problem}；{waiting} 条消息等待发送",
        "请运行 `vtox notify test {target}`，查看它的应答。",
    ),
    "messages_given_up": Sentence(
        "{messages} 条消息无法送达，已放弃",
        "请查看 `vtox notify status`；然后执行 `vtox notify retry` 或 `vtox notify discard`。",
    ),
    "notifier_works": Sentence("{targets} 个接收方，{waiting} 条消息等待发送", ""),
    "workers_live": Sentence("{workers} 个在运行", ""),
    "no_live_worker": Sentence(
        "没有工作进程在运行",
        "`vtox up` 会在一分钟内自动重新启动；否则执行 `celery -A vtox worker -Q {queue}`。",
    ),
    "worker_without_process": Sentence(
        "工作进程在运行，但没有可执行队列 {queue} 任务的子进程",
        "请等待：它会自动启动子进程，主机繁忙时所需时间更长；两分钟后会重试。",
    ),
    # Why a source of the throughput has no figure.
    "metrics_empty": Sentence("performance_metrics 为空", ""),
    "metrics_without_throughput": Sentence(
        "performance_metrics：最后一个条目没有 throughput 或 interval_s", ""
    ),
    "metrics_stale": Sentence(
        "performance_metrics 已过时：{age_s:.0f} s 前的数据，间隔 {interval_s:g} s", ""
    ),
    "activity_unread": Sentence("数据流活动：消费组的读数还不足两个", ""),
    "activity_stale": Sentence("数据流活动：最后一个读数在 {age_s:.0f} s 前", ""),
    "workers_report_nothing": Sentence("没有在运行的工作进程报告其窗口数", ""),
}
