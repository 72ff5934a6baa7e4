"""Sentences of what somebody did: the entries of the audit."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "nameplate_changed": Sentence("铭牌：{changes!w}", ""),
    "machine_deleted": Sentence("电机退役，同时删除基线和历史", ""),
    "baseline_given": Sentence("设定基线，含 {records} 个记录", ""),
    "baseline_deleted": Sentence("删除基线", ""),
    "sensitivity_changed": Sentence("灵敏度：{changes!w}", ""),
    "channel_map_changed": Sentence("通道映射：{changes!w}", ""),
    "taken_out_of_service": Sentence("停用电机：{text}", ""),
    "returned_to_service": Sentence("恢复运行 {text}", ""),
    "dead_letter_replayed": Sentence("重新发送死信 {letter}", ""),
    "key_created": Sentence("为 {name} 创建密钥 {key}，权限 {scopes!w}", ""),
    "key_revoked": Sentence("吊销 {name} 的密钥 {key}", ""),
    "settings_changed": Sentence("设置：{changes!w}", ""),
    "state_restored": Sentence("从 {made} 的备份恢复", ""),
    "signed_in": Sentence("在页面登录", ""),
    "signed_out": Sentence("在页面退出", ""),
    "wrong_keys": Sentence(
        "本小时内至今的错误密钥次数：{attempts}",
        "查看其地址：密钥已过期或被吊销的程序需要新密钥（`vtox keys list`）；"
        "若有人猜测密钥，请用防火墙阻止。",
    ),
    "wrong_keys_elsewhere": Sentence(
        "本小时内至今来自其他地址的错误密钥次数：{attempts}",
        "只让需要的网络访问本服务。",
    ),
}
