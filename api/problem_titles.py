"""The titles of problems in languages other than English, by code; `errors.py` has the English."""

from collections.abc import Mapping

from vtox.words.languages import Language

CHINESE = {
    "bad_request": "无法理解该请求",
    "unauthorized": "需要 API 密钥",
    "forbidden": "该 API 密钥没有此权限",
    "foreign_host": "请求头 Host 指向其他主机",
    "foreign_site": "该请求来自其他网站的页面",
    "not_found": "没有这样的资源",
    "no_waveform": "所要的采样没有保存",
    "method_not_allowed": "该地址不支持此方法",
    "body_too_large": "请求体过大",
    "body_too_slow": "请求体到达过慢",
    "not_json": "请求体没有声明为 JSON",
    "not_a_form": "请求体没有声明为表单",
    "encoded": "请求体经过压缩或编码",
    "invalid": "某个参数或字段不可接受",
    "bad_nameplate": "铭牌中有不可能的数值",
    "bad_sensitivity": "灵敏度设置不可能",
    "bad_channel_map": "通道映射不可能",
    "setting_changed": "该设置已被他人更改",
    "too_many_requests": "请求过于频繁",
    "too_many_machines": "电机数量已达上限",
    "too_busy": "正在处理的请求过多",
    "internal": "VTOX 内部出错",
    "server_unavailable": "Redis 或 Valkey 服务器没有响应",
    "server_full": "Redis 或 Valkey 服务器拒绝写入",
    "history_unavailable": "历史数据库没有响应",
    "not_on_disk": "尚不能确认窗口已写入磁盘",
    "not_replicated": "尚不能确认有足够的副本保存了窗口",
    "already_acknowledged": "该报警已经确认",
    "already_closed": "该报警已经关闭",
    "already_ungrouped": "该报警已单独列出",
    "already_assigned": "该报警已如此指派",
    "suspended": "该报警已搁置、被抑制或电机已停用",
    "not_active": "该报警的故障已经消失",
    "not_shelved": "该报警没有搁置",
    "already_out_of_service": "该电机已经停用",
    "in_service": "该电机正在使用",
    "not_replayable": "该死信没有窗口",
    "too_many_work_orders": "该报警的工单数量已达上限",
    "count_changed": "符合条件的报警数量与预期不同",
    "missing_field": "缺少必填字段",
    "bad_machine_id": "machine_id、vehicle_id 或 run 不是简短的普通名称",
    "bad_number": "某个数值字段不是范围内的有限数",
    "bad_family": "replay_family 不是故障类别",
    "bad_version": "格式版本未知",
    "bad_dtype": "dtype 不是 i2、f4、json 之一",
    "no_channels": "该条目没有通道",
    "bad_length": "各通道长度不同，或字节数不是整数个采样",
    "bad_json": "dtype 为 json 的通道不是数值数组",
    "not_finite": "有采样为 NaN 或无穷大",
    "bad_rate": "fs_hz 不在 100..1000000 Hz 范围内",
    "too_large": "窗口超过允许的大小",
    "bad_payload": "途中的一条消息不是窗口",
    "bad_base64": "dtype 为 i2 或 f4 的通道不是 base64",
    "bad_type": "某个字段的 JSON 类型有误",
    "unknown_channel": "有 VTOX 不认识的通道名称",
    "channel_not_recorded": "该记录没有这个通道",
    "no_spectrum": "该记录的采样无法得出这种频谱",
}
# Dead letters of other codes than problems have, in the same words.
CHINESE_DEAD_LETTERS = {
    "poison": "多次启动诊断而没有结果",
    "samples_missing": "数据流中已没有这些采样",
    "unknown_version": "记录或任务来自未知的 VTOX 版本",
    "quota_exceeded": "该电机发送的数据超过允许的数量",
}
TITLES: Mapping[Language, Mapping[str, str]] = {"zh": CHINESE}
DEAD_LETTERS: Mapping[Language, Mapping[str, str]] = {"zh": CHINESE | CHINESE_DEAD_LETTERS}


def dead_letter_reason(code: str, written: str, language: Language) -> str:
    """Return why an entry could not be diagnosed, as it was written where the code has no words."""
    return DEAD_LETTERS.get(language, {}).get(code, written)
