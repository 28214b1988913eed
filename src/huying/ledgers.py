"""The county's ledgers: one declaration a table, from which reading, templates, the dictionary and the demo county are made."""

from __future__ import annotations

from huying.contract import Choice, Column, Day, Flag, Id, Instant, Label, Number, Table, Whole, choices
from huying.words import Text

TOWN_TYPES = choices([("town", "镇", "town"), ("street", "街道", "subdistrict"), ("pilot", "试点镇", "pilot town")])
UNIT_CLASSES = choices(
    [("office", "党政工作机构", "office"), ("bureau", "局", "bureau"), ("psu", "事业单位", "public institution")]
)
MARKS = choices([("plate", "门牌", "plate"), ("seal", "公章", "seal"), ("chat", "工作群", "chat group"),
                 ("attendance", "考勤表", "attendance sheet"), ("notice", "告知单", "notice"), ("doc", "文件", "document")])  # fmt: skip
IN_USE = choices(
    [("new", "新机构", "new"), ("old", "原站所", "old"), ("both", "两种都有", "both"), ("none", "未找到", "not found")]
)
CALL_STATUS = choices(
    [("open", "办理中", "open"), ("closed", "已办结", "closed"), ("withdrawn", "已撤回", "withdrawn")]
)
CHANNELS = choices([("12345", "12345热线", "12345 hotline"), ("grid", "网格", "grid")])
RELATIONS = choices([("1:1", "一对一", "one to one"), ("n:1", "多并一", "merged"), ("split", "一分多", "split"),
                     ("left", "划归县直", "left the town"), ("dispatched", "派驻", "dispatched"), ("plaque", "挂牌", "plaque")])  # fmt: skip
DOC_KINDS = choices(
    [("plan", "改革实施方案", "reform plan"), ("mechanism", "五项机制", "mechanism"), ("other", "其他", "other")]
)
RULINGS = Choice({"ruled": Text("已界定", "ruled"), "open": Text("未界定", "not ruled yet")})

TOWN = Column("town_id", Id(), Text("镇街编号", "town id"))


def _town(optional: bool = False) -> Column:
    """The town as the ledger writes it, by id or by name; matched by `towns`."""
    return Column("town", Label(), Text("镇街", "town"), optional, aliases=("镇(街道)", "镇街名称", "所在镇街"))


TOWNS = Table("towns", Text("镇街登记表", "register of towns"), (
    TOWN,
    Column("name_zh", Label(), Text("镇街名称", "name (zh)")),
    Column("name_en", Label(), Text("英文名称", "name (en)")),
    Column("type", TOWN_TYPES, Text("类型", "type")),
    Column("pop", Whole(1), Text("常住人口", "population"), unit="persons"),
    Column("adults", Whole(1), Text("成年人口", "adults"), unit="persons"),
    Column("n_villages", Whole(1), Text("村(社区)数", "villages"), unit="villages"),
    Column("staff_listed", Whole(0), Text("在册工作人员", "listed staff"), optional=True, unit="persons"),
    Column("aliases", Label(), Text("曾用名和别名", "aliases"), optional=True),
), ("town_id",))  # fmt: skip

MARGINS = Table("margins", Text("人口边际", "population margins"), (
    TOWN,
    Column("item", Choice({"sex": Text("性别", "sex"), "age": Text("年龄组", "age group")}), Text("项目", "margin")),
    Column("category", Label(), Text("类别", "category")),
    Column("adults", Whole(0), Text("成年人口", "adults"), unit="persons"),
), ("town_id", "item", "category"))  # fmt: skip

VILLAGES = Table("villages", Text("村(社区)登记表", "register of villages"), (
    Column("village_id", Id(), Text("村编号", "village id")),
    TOWN,
    Column("name", Label(), Text("村名", "village name")),
    Column("adults", Whole(1), Text("成年人口", "adults"), unit="persons"),
    Column("is_sampled", Flag(), Text("是否入样", "sampled")),
), ("village_id",))  # fmt: skip

ORG_ROSTER = Table("org_roster", Text("机构设置表", "roster of units"), (
    _town(),
    Column("unit_id", Id(), Text("机构编号", "unit id")),
    Column("name", Label(), Text("机构名称", "unit name")),
    Column("class", UNIT_CLASSES, Text("机构类别", "class")),
    Column("domain", Label(), Text("职能领域", "domain")),
    Column("welfare_class", Whole(1, 2), Text("公益类别", "public-welfare class"), optional=True),
    Column("plaque", Label(), Text("加挂牌子", "plaque"), optional=True),
    Column("established_on", Day(), Text("成立日期", "established on"), optional=True),
), ("town", "unit_id"))  # fmt: skip

ORG_MAP = Table("org_map", Text("新旧机构对照表", "old units and their successors"), (
    Column("old_id", Id(), Text("原机构编号", "old unit id")),
    Column("old_name", Label(), Text("原机构名称", "old unit (zh)")),
    Column("old_name_en", Label(), Text("原机构英文名", "old unit (en)")),
    Column("new_unit", Id(), Text("新机构编号", "new unit id"), optional=True),
    Column("relation", RELATIONS, Text("关系", "relation")),
    Column("share", Number(0, 1), Text("承接份额", "share taken over"), optional=True),
    Column("valid_from", Day(), Text("生效日期", "valid from"), optional=True),
), ("old_id", "new_unit"))  # fmt: skip

UNIT_CHECK = Table("unit_check", Text("机构运行核查表", "check of units in use"), (
    _town(),
    Column("old_id", Id(), Text("原机构编号", "old unit id")),
    Column("mark", MARKS, Text("核查项", "mark")),
    Column("in_use", IN_USE, Text("在用名称", "name in use")),
    Column("checked_on", Day(), Text("核查日期", "checked on")),
), ("town", "old_id", "mark"))  # fmt: skip

DOCUMENTS = Table("documents", Text("文件登记表", "register of documents"), (
    Column("doc_no", Label(), Text("文号", "document number"), optional=True),
    Column("title", Label(), Text("标题", "title")),
    Column("kind", DOC_KINDS, Text("类别", "kind")),
    _town(optional=True),
    Column("issued_on", Day(), Text("印发日期", "issued on"), optional=True),
    Column("effective_on", Day(), Text("施行日期", "in force from"), optional=True, after="issued_on"),
))  # fmt: skip

CALLS = Table("calls", Text("呼叫台账", "call ledger"), (
    Column("call_id", Id(), Text("呼叫编号", "call id")),
    _town(optional=True),
    Column("called_at", Instant(), Text("呼叫时间", "called at")),
    Column("dispatched_at", Instant(), Text("派发时间", "dispatched at"), after="called_at"),
    Column("dept", Label(), Text("责任部门", "department"), aliases=("承办部门",)),
    Column("responded_at", Instant(), Text("回应时间", "responded at"), optional=True, after="dispatched_at"),
    Column("closed_at", Instant(), Text("办结时间", "closed at"), optional=True, after="called_at"),
    Column("feedback_at", Instant(), Text("反馈单上传时间", "feedback slip uploaded at"), optional=True, after="called_at"),
    Column("status", CALL_STATUS, Text("状态", "status")),
    Column("returned_n", Whole(0, 50), Text("退单次数", "times returned"), optional=True, unit="times"),
    Column("transfer_n", Whole(0, 50), Text("转办次数", "times passed on"), optional=True, unit="times"),
    Column("is_cross_duty", Flag(), Text("是否职责交叉", "overlapping duties"), optional=True),
    Column("item_code", Id(), Text("清单号", "item of the duty list"), optional=True),
    Column("town_rating", Whole(1, 5), Text("镇街评分", "town's rating"), optional=True, unit="1-5"),
    Column("reopened_of", Id(), Text("重复呼叫原编号", "call that this repeats"), optional=True),
), ("call_id",))  # fmt: skip

JOINT_CONFERENCE = Table("joint_conference", Text("联席会议台账", "joint-conference cases"), (
    Column("case_id", Id(), Text("案件编号", "case id")),
    Column("call_id", Id(), Text("呼叫编号", "call id"), optional=True),
    Column("referred_on", Day(), Text("提请日期", "referred on")),
    Column("ruled_on", Day(), Text("界定日期", "ruled on"), optional=True, after="referred_on"),
    Column("ruling_dept", Label(), Text("界定责任部门", "department ruled responsible"), optional=True),
    Column("is_returned_after", Flag(), Text("界定后是否又退回", "returned after the ruling"), optional=True),
), ("case_id",))  # fmt: skip

NEED_COUNTS = Table("need_counts", Text("12345和网格诉求量", "counts of need by 12345 and grid"), (
    _town(),
    Column("month", Day(), Text("月份", "month")),
    Column("channel", CHANNELS, Text("渠道", "channel")),
    Column("n", Whole(0), Text("件数", "matters"), unit="matters"),
), ("town", "month", "channel"))  # fmt: skip

DEPARTMENTS = Table("departments", Text("部门名册", "register of departments"), (
    Column("dept_id", Id(), Text("部门编号", "department id")),
    Column("name_zh", Label(), Text("部门名称", "name (zh)")),
    Column("name_en", Label(), Text("英文名称", "name (en)")),
    Column("aliases", Label(), Text("别名", "aliases"), optional=True),
), ("dept_id",))  # fmt: skip

TABLES = {table.name: table for table in (
    TOWNS, MARGINS, VILLAGES, DEPARTMENTS, ORG_ROSTER, ORG_MAP, UNIT_CHECK, DOCUMENTS, CALLS, JOINT_CONFERENCE, NEED_COUNTS)}  # fmt: skip
