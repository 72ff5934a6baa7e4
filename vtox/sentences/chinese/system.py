"""Sentences of the alarms about the system itself, raised and cleared."""

from vtox.sentences.sentence import Sentence

_NOTHING = "无需处理：报警已结束。"

SENTENCES: dict[str, Sentence] = {
    "windows_unread": Sentence(
        "窗口未及时读取：有窗口到达 {age_s:.0f} s 后仍未读取",
        "增加工作进程（VTOX_CLUSTER_WORKERS）或减少发送；若有队列没有工作进程或停滞，先处理它；"
        "若完全没有读取，请重启桥接进程。",
    ),
    "records_waiting": Sentence(
        "有记录等待某个队列的工作进程：到达 {age_s:.0f} s 后仍在等待",
        "为处理中窗口最多的队列增加工作进程；若它没有工作进程或停滞，先处理它。"
        "其他队列会继续工作，直到内存用满。",
    ),
    "windows_read_in_time": Sentence("窗口又能及时读取", _NOTHING),
    "window_in_no_record": Sentence(
        "有窗口到达 {age_s:.0f} s 后仍未归入任何记录：无人处理",
        "重启桥接进程，它会由待确认列表重建记录；`XPENDING motor_raw_data vtox` "
        "可显示谁读取了最早的条目：只有桥接进程可以用此消费组读取。",
    ),
    "windows_in_records": Sentence("每个窗口都已归入记录", _NOTHING),
    "queue_without_worker": Sentence(
        "队列 {queue} 没有工作进程：{windows} 个窗口在等待",
        "为该队列启动一个工作进程：`vtox up` 会自动启动，否则用 `celery -A vtox worker -Q` "
        "加队列名；cluster.log 记录了进程结束的原因。",
    ),
    "queue_has_worker": Sentence("队列 {queue} 又有工作进程", _NOTHING),
    "queue_stalled": Sentence(
        "队列 {queue} 的工作进程（{workers} 个）没有完成任何任务，而 {windows} 个窗口在等待",
        "在 Flower 和 cluster.log 中查看其状态；若已卡死请重启：未完成的记录会重新派发。",
    ),
    "queue_moves": Sentence("队列 {queue} 又在逐个完成窗口", _NOTHING),
    "dead_letters_grow": Sentence(
        "{interval_s:.0f} s 内有 {dead_letters} 条死信：{codes!w}",
        "用 `vtox dead-letters list` 查看电机和原因，纠正发送端，再用 `vtox dead-letters replay` "
        "重放现在可以诊断的死信。",
    ),
    "dead_letters_stopped": Sentence("最近 {interval_s:.0f} s 没有死信", _NOTHING),
    "memory_high": Sentence(
        "服务器内存上限已使用 {used_percent:.0f} %",
        "增加工作进程，调大 VTOX_REDIS_MAXMEMORY_MB（自备服务器：maxmemory），"
        "调小 VTOX_RETENTION_S，或减少发送：达到 100 % 时新窗口会被拒收。",
    ),
    "memory_free": Sentence("服务器内存已缓解：上限已使用 {used_percent:.0f} %", _NOTHING),
    "clocks_differ": Sentence(
        "{hosts!w} 的时钟与服务器最多相差 {offset_s:+.1f} s",
        "在这些主机和服务器主机上用 NTP 校时。",
    ),
    "clocks_agree": Sentence("所有主机的时钟又与服务器一致", _NOTHING),
    "stream_ids_ahead": Sentence(
        "原始数据流最新的条目超前 {ahead_s:.0f} s",
        "可能是服务器的时钟被拨回：用 NTP 校时；也可能是发送端自定了 ID："
        "请用 `XADD motor_raw_data *` 发送。在此之前，已完成的窗口不予保留。",
    ),
    "stream_ids_right": Sentence("原始数据流的条目 ID 不再超前", _NOTHING),
    "windows_deleted_unread": Sentence(
        "{windows} 个窗口在读取之前被删除：已丢失",
        "查明由谁删除：给 XADD 加 MAXLEN 的发送端、手动的 XTRIM 或 XDEL，"
        "或用桥接进程的消费组读取的其他程序；VTOX 会自行裁剪数据流。",
    ),
    "recorder_silent": Sentence(
        "记录进程没有报告（发现时已 {silence_s:.0f} s）：历史不再增加",
        "启动 `vtox up` 或 `vtox recorder`；`vtox doctor` 会说明最后一个进程是哪个。"
        "恢复后，数据流中仍保留的内容会补录。",
    ),
    "history_disk_full": Sentence(
        "历史所在磁盘几乎已满，剩余 {free_mb:.0f} MB：低于 {needed_mb:.0f} MB 时不写入历史",
        "在 VTOX_DATA_DIR 中释放空间，或调小 VTOX_HISTORY_RECORDS_HOURS。"
        "记录进程会自行继续，补录届时数据流中仍保留的全部内容。",
    ),
    "history_not_written": Sentence(
        "记录进程无法写入历史",
        "运行 `vtox doctor`：其检查项 `recorder` 会说明原因。"
        "它会自行继续，补录届时数据流中仍保留的全部内容。",
    ),
    "history_behind": Sentence(
        "记录进程落后 {behind_s:.0f} s：尚未读取的内容占用服务器内存",
        "用 `vtox doctor` 查看其进程：磁盘或数据库过慢，或主机繁忙。"
        "未读内容最多保留到服务器内存的 40 %；超出后历史将有缺口。",
    ),
    "history_lost": Sentence(
        "{address} 中的历史已被删除或替换；新的历史只含数据流中仍保留的内容",
        "查明是谁所为。`vtox restore` 可恢复备份；缺失的内容见检查项 `recorder`（`vtox doctor`）。",
    ),
    "history_recorded": Sentence("历史又在记录", _NOTHING),
    "notifier_silent": Sentence(
        "通知进程没有报告（发现时已 {silence_s:.0f} s）：报警不会发送给任何人",
        "启动 `vtox up` 或 `vtox notify run`；尚未发送的消息会保留。",
    ),
    "nobody_notified": Sentence(
        "通知进程无法工作：报警不会发送给任何人",
        "运行 `vtox doctor`：其检查项 `notifier` 会说明原因。它会自行继续，并补发保留的消息。",
    ),
    "target_not_reached": Sentence(
        "{target} 已连续 {failures} 次未接收消息；{waiting} 条消息等待发送",
        "运行 `vtox notify test` 并给出其名称，可查看它的应答。",
    ),
    "messages_not_delivered": Sentence(
        "{messages} 条消息多日尝试无果或被永久拒绝，已放弃",
        "查看 `vtox notify status`；然后执行 `vtox notify retry` 或 `vtox notify discard`。",
    ),
    "notification_goes_on": Sentence("通知不再受阻", _NOTHING),
    "process_absent": Sentence(
        "{process} 无法在 {hosts!w} 上启动；其他进程照常运行",
        "运行 `vtox doctor`：该进程的检查项会说明原因。每分钟会重试一次。",
    ),
    "process_back": Sentence("{process} 已恢复运行，或不再需要", _NOTHING),
    "deletion_stopped": Sentence(
        "不再有窗口未读即被删除",
        "无需其他处理：被删除的窗口已丢失；若仍有原始数据，请重新发送。",
    ),
}
