"""Sentences of whether an alarm grows, and of how soon to act."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "growth_rising": Sentence(
        "{quantity!w}上升：报警时 {then_db:.1f} {unit!w}，"
        "现在 {now_db:.1f}，每天 {slope_db:+.2f} dB（"
        "{low_db:+.2f} 至 {high_db:+.2f}）",
        "",
    ),
    "growth_falling": Sentence(
        "{quantity!w}下降：报警时 {then_db:.1f} {unit!w}，"
        "现在 {now_db:.1f}，每天 {slope_db:+.2f} dB（"
        "{low_db:+.2f} 至 {high_db:+.2f}）",
        "",
    ),
    "growth_unchanged": Sentence(
        "{quantity!w}没有变化：报警时 {then_db:.1f} "
        "{unit!w}，现在 {now_db:.1f}；斜率每天 "
        "{slope_db:+.2f} dB（{low_db:+.2f} 至 "
        "{high_db:+.2f}）可能为零",
        "",
    ),
    "growth_unknown": Sentence(
        "尚不知是否发展：历史中只有 {levels} 个电平，跨 {span_h:.1f} 小时",
        "",
    ),
    "act_within_days": Sentence(
        "数日内处理",
        "数日内检查；若失效会造成危险则停机：电平在上升，或此类故障不容拖延。",
    ),
    "act_within_weeks": Sentence(
        "数周内处理",
        "安排在数周内检查，并每隔几天查看趋势。",
    ),
    "act_at_next_stop": Sentence(
        "下次停机时处理",
        "下次计划停机时检查：没有迹象表明故障在发展。",
    ),
}
