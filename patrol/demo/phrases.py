"""What people of the district write: troubles as they describe them, notes of work done, reasons, thanks and complaints."""

from typing import NamedTuple


class Trouble(NamedTuple):
    """A kind of trouble: its drawn picture, category and usual severity, how common it is, and what is written about it.

    `lead` is the department whose handler leads instead of the chief, empty for none.
    """

    picture: str
    category: str
    severity: str
    weight: int
    lead: str
    reports: tuple[str, ...]
    cures: tuple[str, ...]


TROUBLES = (
    Trouble("floating_litter", "C1", "general", 22, "", (
        "河面有大量漂浮垃圾，主要是塑料瓶和泡沫，集中在回水湾处。", "桥下游水面漂着塑料袋、饮料瓶，约二十多平方米。",
        "昨夜下雨后上游冲下来不少枯枝和生活垃圾，堵在堰坝前。", "水面漂浮物较多，影响观瞻，请尽快打捞。",
        "拦污栅前垃圾堆积，已有异味。"),
        ("已组织保洁员打捞，清运垃圾两车，水面已恢复干净。", "当天安排打捞船清理完毕，并在桥头加设拦污网。",
         "已打捞漂浮物约半吨，明确每日上午巡查一次。")),
    Trouble("bank_litter", "C2", "general", 18, "", (
        "岸坡上有人倾倒生活垃圾，约三四立方米。", "村口河边垃圾桶满溢，垃圾散落到岸坡上。",
        "河埠头旁边堆了很多菜叶和塑料袋，苍蝇很多。", "钓鱼的人留下不少饵料袋和快餐盒，没人收拾。"),
        ("垃圾已全部清运，岸坡平整后补种草皮，并设置了警示牌。", "已清理并增设分类垃圾桶两组，落实保洁责任人。",
         "组织党员志愿者清理岸坡垃圾，现场已干净。")),
    Trouble("rubble", "A32", "general", 9, "", (
        "有人趁夜把装修垃圾倒在河滩上，碎砖和水泥块很多。", "施工队把拆房的砖瓦堆在岸边，已占到河道。"),
        ("已责令施工单位清运，共运出建筑垃圾六车，河滩已恢复。", "查实倾倒人并督促其自行清理，现场已复核。")),
    Trouble("outfall", "B2", "general", 12, "", (
        "排口在晴天也一直在流水，颜色发黄，有明显臭味。", "雨水管晴天有污水流出，疑似雨污混接。",
        "一处没有标牌的管口正在往河里排水，水的颜色不正常。", "排水口有浑浊污水直排，下游二十米水都变色了。"),
        ("溯源查明为沿街餐饮混接，已截污纳管并封堵排口。", "已完成雨污混接改造，排口晴天无水，设置了标识牌。")),
    Trouble("black_water", "B1", "general", 7, "", (
        "这一段水发黑发臭，天热的时候窗户都不敢开。", "沟里水体黑臭，水面有气泡和油膜。"),
        ("完成清淤约一百二十方，封堵污水口两处，换水后感官良好。", "上游截污完成，投放生态浮床，水体已不黑不臭。")),
    Trouble("water_hyacinth", "C4", "general", 9, "", (
        "水葫芦长满了半条河，船都过不去。", "水面水草疯长，开始腐烂发臭。"),
        ("组织打捞水葫芦约四吨，河面已清爽。", "已分三天打捞完毕，外运作堆肥处理。")),
    Trouble("broken_signboard", "D3", "general", 8, "", (
        "河长公示牌倾斜破损，上面的电话看不清了。", "公示牌上的河长还是原来的，信息没有更新，牌面也锈了。"),
        ("公示牌已更换，河长姓名、电话和二维码均已更新。", "已重新立牌，并核对全村其他公示牌信息。")),
    Trouble("sand_mining", "A21", "serious", 6, "water", (
        "河道里有挖掘机在挖砂，拉砂的车来来往往，水都搅浑了。", "夜里有人用机械在河滩采砂，没有看到许可牌。"),
        ("联合公安、综合执法现场查处，机械已撤离，河床已回填平整。", "已立案查处，采砂坑回填，岸线恢复原貌。")),
    Trouble("algae", "B6", "serious", 4, "", (
        "水面一片绿色，像刷了油漆一样，有腥臭味。", "水体出现蓝藻聚集，靠岸处最厚。"),
        ("打捞藻泥约两吨，加大上游放水换水，水色恢复正常。",)),
    Trouble("dead_fish", "B6", "serious", 4, "ecology", (
        "河面漂着很多死鱼，翻着白肚皮，大概有上百条。", "今天一早发现死鱼，担心是有人排毒水。"),
        ("死鱼已打捞并无害化处理，水样检测氨氮偏高，已对上游养殖户整改。",)),
    Trouble("collapsed_bank", "D1", "urgent", 5, "water", (
        "连日大雨后岸坡坍塌约十几米，护栏已悬空，离路很近。", "堤岸塌方，泥土滑到河里，旁边就是农户。"),
        ("已打桩抛石加固，浆砌块石护岸二十二米，警戒已解除。", "抢险完成，新砌护岸验收合格。")),
    Trouble("clean", "A13", "general", 4, "", (
        "河滩上种了成片玉米，汛期会挡水。", "有人在行洪滩地上搭架种菜。"),
        ("已与种植户协商清除阻水作物，滩地恢复。",)),
)  # fmt: skip

REJECTIONS = (
    (
        "not_a_water_matter",
        "Z",
        "小区门口的路灯坏了一个多月，希望修一下。",
        "反映事项不属于河湖管理范围，已建议拨打12345。",
    ),
    (
        "other_authority",
        "Z",
        "旁边工地夜里施工太吵，影响休息。",
        "施工噪声由综合行政执法部门依法处理，已转告投诉渠道。",
    ),
    ("no_evidence_found", "A21", "听说河里有人挖砂，请查一下。", "两次到现场核查，未发现采砂痕迹。"),
    ("insufficient_information", "B3", "河水有怪味，不知道哪里来的。", "未留联系方式且位置不明，无法核查。"),
    ("duplicate_report", "B6", "水面又有死鱼，跟昨天说的一样。", "同一问题已在办理，请以原件进度为准。"),
    ("lawful_activity", "A21", "挖掘机在河里挖东西，是不是偷砂？", "经核实为经批准的河道清淤工程，手续齐全。"),
    ("already_rectified", "B6", "前天看到河边有一片绿藻。", "接报时保洁单位已打捞完毕，现场无异常。"),
)
"""Ground, category, what was said, and the office's reason for not taking it up."""

VERIFY_NOTES = (
    "现场复核，整改到位。",
    "对照前后照片并到场查看，问题已解决。",
    "抽查通过。",
    "电话回访村民，反映已解决。",
)
REOPEN_REASONS = (
    "督查“回头看”发现问题反弹，请重新办理。",
    "群众反映问题没有真正解决，重新办理。",
    "同一位置一周内再次出现，重新立案。",
)
ORDER_ANSWERS = {
    "letter": "督办函收悉。超期系施工力量不足，已增派人员，三个工作日内完成整改并上报照片。",
    "listed": "已现场办公，明确责任人和时间表，整改期间每日上报进展。",
    "talk": "已按约谈要求逐项整改，剩余部分一周内完成，并在全镇通报情况。",
}
"""What leads answer to the system's orders, by their kind."""
TRANSFER_REASONS = ("现场位置实际在相邻河段，请转由该段河长处理。", "经实地核对，问题点位属上游河段，转办。")
CLOSING_WORDS = ("问题已整改，感谢您的监督。", "现场已恢复，我们会加强巡查。", "已处理完毕，欢迎继续监督。")
ACCEPT_NOTES = ("情况基本属实，予以受理。", "已电话核实，受理。", "位置和情况清楚，受理。", "")
PRAISE = (
    "处理很快，点赞！",
    "第二天就清干净了，谢谢。",
    "效果不错，希望能坚持。",
    "河长很负责，还打电话告诉我结果。",
    "",
)
PATROL_SUMMARIES = ("全线巡查，总体正常。", "水质清澈，岸线整洁。", "发现少量垃圾，已当场清理。", "雨后巡查，水位略高，无险情。",
                    "重点查看排口和堰坝，正常。", "提醒钓鱼人员带走垃圾。", "")  # fmt: skip
CHECK_IN_NOTES = (
    "水面干净。",
    "水位正常。",
    "已提醒岸边洗车的村民。",
    "公示牌完好。",
    "排口无水流出。",
    "顺手捡了几个塑料瓶。",
)
PROBLEM_NOTES = ("发现问题，已上报。", "见问题照片，已上报。")
CHECKLIST = ("water", "surface", "channel", "bank", "activities", "outfalls", "signboard", "structures")
"""The eight groups of a patrol's check list."""
GROUP_OF_PICTURE = {
    "floating_litter": "surface", "bank_litter": "bank", "rubble": "bank", "outfall": "outfalls", "black_water": "water",
    "water_hyacinth": "surface", "broken_signboard": "signboard", "sand_mining": "activities", "algae": "water",
    "dead_fish": "surface", "collapsed_bank": "structures", "clean": "channel",
}  # fmt: skip
