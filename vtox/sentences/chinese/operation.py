"""Sentences of machines that start, run down or stand still within a record."""

from vtox.sentences.sentence import Sentence

_STEADY = "记录本身没有问题：请用稳态运行的记录进行诊断。"

SENTENCES: dict[str, Sentence] = {
    "motor_starts": Sentence(
        "电动机在记录的第 {on_s:.2f} s 起动，历时 {duration_s:.3g} s，"
        "直到电流稳定在 {final_a:.3g} A；起动冲击电流有效值 {inrush_a:.3g} A，"
        "为{base!w}的 {inrush_ratio:.2g} 倍，峰值 {peak_a:.3g} A",
        _STEADY,
    ),
    "motor_start_unfinished": Sentence(
        "电动机在记录的第 {on_s:.2f} s 起动，到记录结束时起动尚未完成；"
        "起动冲击电流有效值 {inrush_a:.3g} A，峰值 {peak_a:.3g} A",
        "请记录到起动结束，并用稳态运行的记录进行诊断。",
    ),
    "motor_start_under_way": Sentence(
        "记录开始时电动机正在起动；在记录的第 {end_s:.2f} s 完成，电流为 {final_a:.3g} A",
        "请从起动之前开始记录，并用稳态运行的记录进行诊断。",
    ),
    "motor_start_throughout": Sentence(
        "整个记录期间电动机都在起动，电流最大 {starting_a:.3g} A",
        "请从起动之前记录到起动结束；如果始终不结束，请重新测量。",
    ),
    "motor_runs_down": Sentence(
        "电动机在记录开始后 {end_s:.2f} s 被断开或减速",
        _STEADY,
    ),
    "motor_stands_still": Sentence(
        "电流最大 {current_a:.2g} A，额定电流 {rated_a:g} A：电动机静止，"
        "或钳形传感器没有夹在其导线上",
        "请用运行中的记录进行诊断；如果电动机在运行，请检查钳形传感器。",
    ),
    "inrush_clipped": Sentence(
        "转换器对冲击电流削波：给出的数值只是下限",
        "请增大转换器的量程。",
    ),
    "starting_current": Sentence("冲击电流的直流分量衰减后，起动电流有效值 {starting_a:.3g} A", ""),
    "supply_dips_at_start": Sentence("起动时电源电压跌落 {dip_ratio:.1%}", ""),
    "start_before_record": Sentence(
        "起动时间和冲击电流未知：记录开始之前电动机已接通",
        "请从起动之前开始记录。",
    ),
    "start_end_not_seen": Sentence(
        "起动时间和最终电流未知：起动在记录内没有结束",
        "请记录到起动结束。",
    ),
    "start_without_voltages": Sentence(
        "电源电压跌落未知：需要三相电压",
        "请增加三相电压。",
    ),
    "voltage_before_start_not_seen": Sentence(
        "电源电压跌落未知：没有记录起动前的电压",
        "请在开关之前测量电压，并从起动之前开始记录。",
    ),
}
