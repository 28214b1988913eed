"""The county's ledgers: one declaration a table, from which reading, templates, the dictionary and the demo county are made."""

from __future__ import annotations

from huying.contract import Choice, Column, Day, Flag, Id, Instant, Label, Number, Table, Whole, choices
from huying.rules import AtMost, GroupSum, InLedger, OnePlace, SumTo
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
DOC_KINDS = choices([("plan", "改革实施方案", "reform plan"), ("mechanism", "五项机制", "mechanism"),
                     ("conference", "联席会议制度", "joint-conference rules"), ("guide", "放权指导目录", "guide to delegation"),
                     ("standard", "便民服务标准", "service standard"), ("other", "其他", "other")])  # fmt: skip
POST_KINDS = choices([("admin", "行政编制", "administrative"), ("psu", "事业编制（不含教育卫生）", "institutions, without education and health"),
                      ("edu_health", "教育卫生事业编制", "education and health")])  # fmt: skip
MOVES = choices([("recovered", "收回", "recovered"), ("given", "下达镇街", "given to a town"), ("held", "县级留用", "held by the county")])  # fmt: skip
DECISIONS = choices([("admitted", "准入", "admitted"), ("refused", "不予准入", "refused"), ("pending", "办理中", "pending")])  # fmt: skip
LISTS = choices([("powers", "权责清单", "list of powers and duties"), ("services", "公共服务事项目录", "list of public services")])  # fmt: skip
MODES = choices([("entrusted", "委托", "entrusted"), ("authorised", "授权", "authorised")])
HOMES = choices([("county", "县直部门", "county department"), ("town", "镇街", "town")])
CONSULTED = choices([("written", "书面征求", "in writing"), ("oral", "口头沟通", "orally"), ("none", "没有征求", "not consulted"),
                     ("unknown", "不清楚", "unknown")])  # fmt: skip
AGENCY_KINDS = choices([("enforcement", "综合执法", "integrated enforcement"), ("market", "市场监管", "market regulation"),
                        ("land", "自然资源", "natural resources"), ("justice", "司法所", "justice office"),
                        ("police", "派出所", "police station"), ("other", "其他", "other")])  # fmt: skip
PLACES = choices([("centre", "镇街便民服务中心", "town service centre"), ("station", "村(社区)便民服务站", "village service station")])  # fmt: skip
LEVELS = choices([("village", "村(社区)", "village"), ("town", "镇街", "town"), ("county", "县", "county")])
STEPS = choices([("warning", "预警提醒", "warning"), ("interview", "约谈", "interview"), ("notice", "通报", "public notice")])  # fmt: skip
CHECKS = (
    "has_place",
    "has_staff",
    "has_matters",
    "has_promise",
    "same_name",
    "same_layout",
    "same_equipment",
    "same_rules",
)
RULINGS = Choice({"ruled": Text("已界定", "ruled"), "open": Text("未界定", "not ruled yet")})

DEPARTMENT = Text("部门", "department")
TOWN = Column("town_id", Id(), Text("镇街编号", "town id"))


def _town(optional: bool = False) -> Column:
    """The town as the ledger writes it, by id or by name; matched by `towns`."""
    return Column("town", Label(), Text("镇街", "town"), optional, aliases=("镇(街道)", "镇街名称", "所在镇街"),
                  note=Text("镇街登记表中的名称、别名或编号", "a name, alias or id of the register of towns"))  # fmt: skip


def _dept(title: Text = DEPARTMENT, aliases: tuple[str, ...] = ()) -> Column:
    """The department as the ledger writes it; matched by `departments` where the county has that register."""
    return Column("dept", Label(), title, aliases=aliases,
                  note=Text("部门名册中的名称、别名或编号，一格一个", "a name, alias or id of the register of departments, one a cell"))  # fmt: skip


TOWNS = Table("towns", Text("镇街登记表", "register of towns"), (
    TOWN,
    Column("name_zh", Label(), Text("镇街名称", "name (zh)")),
    Column("name_en", Label(), Text("英文名称", "name (en)")),
    Column("type", TOWN_TYPES, Text("类型", "type")),
    Column("pop", Whole(1), Text("常住人口", "population"), unit="persons"),
    Column("adults", Whole(1), Text("成年人口", "adults"), unit="persons"),
    Column("n_villages", Whole(1), Text("村(社区)数", "villages"), unit="villages"),
    Column("staff_listed", Whole(0), Text("在册工作人员", "listed staff"), optional=True, unit="persons"),
    Column("aliases", Label(), Text("曾用名和别名", "aliases"), optional=True, note=Text("多个用“;”或“、”分开", "several are parted by ;")),
), ("town_id",), rows=Text("每个镇街一行", "one row a town"),
    example=("T01", Text("甲镇", "First Town"), "First Town", "town", "41000", "32400", "44", "54", "老甲乡"))  # fmt: skip

MARGINS = Table("margins", Text("人口边际", "population margins"), (
    TOWN,
    Column("item", Choice({"sex": Text("性别", "sex"), "age": Text("年龄组", "age group")}), Text("项目", "margin")),
    Column("category", Label(), Text("类别", "category")),
    Column("adults", Whole(0), Text("成年人口", "adults"), unit="persons"),
), ("town_id", "item", "category"), rows=Text("每个镇街、项目、类别一行", "one row a town, margin and category"), covers=True,
    rules=(InLedger("town_id", "towns", "town_id", "no_such_town"),),
    example=("T01", "sex", "male", "16100"))  # fmt: skip

VILLAGES = Table("villages", Text("村(社区)登记表", "register of villages"), (
    Column("village_id", Id(), Text("村编号", "village id")),
    TOWN,
    Column("name", Label(), Text("村名", "village name")),
    Column("adults", Whole(1), Text("成年人口", "adults"), unit="persons"),
    Column("is_sampled", Flag(), Text("是否入样", "sampled")),
), ("village_id",), rows=Text("每个村(社区)一行", "one row a village"), covers=True, rules=(InLedger("town_id", "towns", "town_id", "no_such_town"),),
    example=("T01V01", "T01", Text("甲一村", "First Village"), "1066", "1"))  # fmt: skip

ORG_ROSTER = Table("org_roster", Text("机构设置表", "roster of units"), (
    _town(),
    Column("unit_id", Id(), Text("机构编号", "unit id")),
    Column("name", Label(), Text("机构名称", "unit name")),
    Column("class", UNIT_CLASSES, Text("机构类别", "class")),
    Column("domain", Label(), Text("职能领域", "domain")),
    Column("welfare_class", Whole(1, 2), Text("公益类别", "public-welfare class"), optional=True),
    Column("plaque", Label(), Text("加挂牌子", "plaque"), optional=True),
    Column("established_on", Day(), Text("成立日期", "established on"), optional=True),
), ("town", "unit_id"), rows=Text("每个镇街、机构一行", "one row a town and unit"), covers=True,
    example=("T01", "N13", Text("综合文体健康中心", "Culture and Health Centre"), "psu", Text("公共服务", "public services"), "1",
             Text("新时代文明实践分中心", "civilisation practice centre"), "2022-01-20"))  # fmt: skip

ORG_MAP = Table("org_map", Text("新旧机构对照表", "old units and their successors"), (
    Column("old_id", Id(), Text("原机构编号", "old unit id")),
    Column("old_name", Label(), Text("原机构名称", "old unit (zh)")),
    Column("old_name_en", Label(), Text("原机构英文名", "old unit (en)")),
    Column("new_unit", Id(), Text("新机构编号", "new unit id"), optional=True),
    Column("relation", RELATIONS, Text("关系", "relation")),
    Column("share", Number(0, 1), Text("承接份额", "share taken over"), optional=True),
    Column("valid_from", Day(), Text("生效日期", "valid from"), optional=True),
), ("old_id", "new_unit"), rows=Text("每个原机构及其一个承接机构一行；没有承接机构的新机构编号留空", "one row an old unit and one of its successors; the new unit is blank where it has none"),
    rules=(GroupSum("old_id", "share", 1, "valid_from", "shares_not_one"),),
    example=("O01", Text("农业技术推广站", "Agro-tech station"), "Agro-tech station", "N12", "1:1", "1", "2022-01-20"))  # fmt: skip

UNIT_CHECK = Table("unit_check", Text("机构运行核查表", "check of units in use"), (
    _town(),
    Column("old_id", Id(), Text("原机构编号", "old unit id")),
    Column("mark", MARKS, Text("核查项", "mark")),
    Column("in_use", IN_USE, Text("在用名称", "name in use")),
    Column("checked_on", Day(), Text("核查日期", "checked on")),
), ("town", "old_id", "mark"), rows=Text("每个镇街、原机构、核查项一行", "one row a town, old unit and mark"), covers=True,
    rules=(InLedger("old_id", "org_map", "old_id", "unmapped"),),
    example=("T01", "O01", "plate", "new", "2023-05-16"))  # fmt: skip

DOCUMENTS = Table("documents", Text("文件登记表", "register of documents"), (
    Column("doc_no", Label(), Text("文号", "document number"), optional=True),
    Column("title", Label(), Text("标题", "title")),
    Column("kind", DOC_KINDS, Text("类别", "kind")),
    _town(optional=True),
    Column("issued_on", Day(), Text("印发日期", "issued on"), optional=True),
    Column("effective_on", Day(), Text("施行日期", "in force from"), optional=True, after="issued_on"),
), rows=Text("每份文件一行；县级文件的镇街留空", "one row a document; the town is blank for the county's own"),
    example=(Text("甲发〔2021〕7号", "First Town 2021/7"), Text("甲镇行政管理体制改革实施方案", "Plan of reform of First Town"), "plan", "T01",
             "2021-11-15", "2022-01-20"))  # fmt: skip

CALLS = Table("calls", Text("呼叫台账", "call ledger"), (
    Column("call_id", Id(), Text("呼叫编号", "call id")),
    _town(optional=True),
    Column("called_at", Instant(), Text("呼叫时间", "called at")),
    Column("dispatched_at", Instant(), Text("派发时间", "dispatched at"), after="called_at"),
    _dept(Text("责任部门", "department"), ("承办部门",)),
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
), ("call_id",), rows=Text("每次呼叫一行", "one row a call"),
    example=("GD0001", "T01", "2022-05-05 09:10", "2022-05-05 10:00", "K01", "2022-05-06 15:20", "2022-05-10 11:00", "2022-05-10 16:30",
             "closed", "0", "0", "0", "Q12", "5", ""))  # fmt: skip

JOINT_CONFERENCE = Table("joint_conference", Text("联席会议台账", "joint-conference cases"), (
    Column("case_id", Id(), Text("案件编号", "case id")),
    Column("call_id", Id(), Text("呼叫编号", "call id"), optional=True),
    Column("referred_on", Day(), Text("提请日期", "referred on")),
    Column("ruled_on", Day(), Text("界定日期", "ruled on"), optional=True, after="referred_on"),
    Column("ruling_dept", Label(), Text("界定责任部门", "department ruled responsible"), optional=True),
    Column("accepted_on", Day(), Text("受理日期", "accepted on"), optional=True, after="referred_on"),
    Column("heard_on", Day(), Text("会商日期", "heard on"), optional=True, after="referred_on"),
    Column("is_returned_after", Flag(), Text("界定后是否又退回", "returned after the ruling"), optional=True),
), ("case_id",), rows=Text("每个案件一行", "one row a case"),
    example=("LX001", "GD0001", "2022-07-05", "2022-07-19", "K01", "2022-07-06", "2022-07-14", "0"))  # fmt: skip

NEED_COUNTS = Table("need_counts", Text("12345和网格诉求量", "counts of need by 12345 and grid"), (
    _town(),
    Column("month", Day(), Text("月份", "month")),
    Column("channel", CHANNELS, Text("渠道", "channel")),
    Column("n", Whole(0), Text("件数", "matters"), unit="matters"),
), ("town", "month", "channel"), rows=Text("每个镇街、月份、渠道一行；月份写当月第一天", "one row a town, month and channel; the month is its first day"), covers=True,
    example=("T01", "2022-05-01", "12345", "37"))  # fmt: skip

DEPARTMENTS = Table("departments", Text("部门名册", "register of departments"), (
    Column("dept_id", Id(), Text("部门编号", "department id")),
    Column("name_zh", Label(), Text("部门名称", "name (zh)")),
    Column("name_en", Label(), Text("英文名称", "name (en)")),
    Column("aliases", Label(), Text("别名", "aliases"), optional=True, note=Text("多个用“;”或“、”分开", "several are parted by ;")),
), ("dept_id",), rows=Text("每个部门一行", "one row a department"),
    example=("K01", Text("自然资源局", "Natural Resources"), "Natural Resources", "自资局"))  # fmt: skip

QUOTA = Table("quota", Text("编制台账", "quota ledger"), (
    _town(optional=True),
    Column("year", Whole(1990, 2100), Text("年度", "year")),
    Column("kind", POST_KINDS, Text("编制类别", "kind of post")),
    Column("quota", Whole(0), Text("编制数", "posts"), unit="posts"),
    Column("filled", Whole(0), Text("实有人数", "filled"), unit="posts"),
    Column("borrowed_out", Whole(0), Text("借出人数", "lent to others"), optional=True, unit="posts"),
    Column("borrowed_in", Whole(0), Text("借入人数", "borrowed from others"), optional=True, unit="posts"),
), ("town", "year", "kind"), rows=Text("每个镇街、年度、编制类别一行；镇街留空的一行是县直各单位合计",
                                       "one row a town, year and kind; the row without a town is the total of the county's own bodies"),
    covers=True, rules=(AtMost("borrowed_out", "filled", "lent_above_filled"),), example=("T01", "2022", "admin", "40", "36", "3", "1"))  # fmt: skip

QUOTA_MOVES = Table("quota_moves", Text("编制收回和调整台账", "quota recovered and given"), (
    Column("move_id", Id(), Text("流水号", "move id")),
    Column("move", MOVES, Text("去向", "move")),
    _town(optional=True),
    Column("posts", Whole(0), Text("编制数", "posts"), unit="posts"),
    Column("moved_on", Day(), Text("日期", "moved on")),
    Column("from_unit", Label(), Text("来源单位", "unit it came from"), optional=True),
), ("move_id",), rows=Text("每笔收回、下达或留用一行", "one row a move"),
    example=("M001", "given", "T01", "3", "2022-03-01", Text("县直某事业单位", "an institution of the county")))  # fmt: skip

QUOTA_PLAN = Table("quota_plan", Text("年度用编进人计划", "yearly hiring plan"), (
    Column("year", Whole(1990, 2100), Text("年度", "year")),
    Column("kind", POST_KINDS, Text("编制类别", "kind of post")),
    _town(optional=True),
    Column("planned", Whole(0), Text("计划名额", "posts planned"), unit="posts"),
), ("year", "kind", "town"), rows=Text("每个年度、类别、镇街一行；镇街留空的一行是县直各单位合计",
                                       "one row a year, kind and town; the row without a town is the total of the county's own bodies"),
    example=("2022", "admin", "T01", "4"))  # fmt: skip

ADMISSIONS = Table("admissions", Text("交办事项准入台账", "requests to put matters on the list"), (
    Column("request_id", Id(), Text("申请编号", "request id")),
    _dept(Text("申请部门", "department")),
    Column("requested_on", Day(), Text("申请日期", "requested on")),
    Column("decided_on", Day(), Text("审定日期", "decided on"), optional=True, after="requested_on"),
    Column("decision", DECISIONS, Text("结果", "decision")),
    Column("list_version", Label(), Text("清单版本", "version of the list"), optional=True),
), ("request_id",), rows=Text("每件申请一行", "one row a request"),
    example=("SQ001", "K01", "2022-09-05", "2022-09-20", "refused", "2022-2"))  # fmt: skip

PUBLICITY = Table("publicity", Text("清单公开核查表", "check of published lists"), (
    _town(),
    Column("list", LISTS, Text("清单", "list")),
    Column("url", Label(), Text("公开网址", "address"), optional=True),
    Column("published_on", Day(), Text("公开日期", "published on"), optional=True),
    Column("updated_on", Day(), Text("更新日期", "updated on"), optional=True, after="published_on"),
), ("town", "list"), rows=Text("每个镇街、清单一行", "one row a town and list"), covers=True,
    example=("T01", "powers", "https://example.org/list", "2022-04-01", "2022-10-08"))  # fmt: skip

DELEGATED_ITEMS = Table("delegated_items", Text("下放事项清单", "delegated items"), (
    Column("item_id", Id(), Text("事项编号", "item id")),
    Column("name", Label(), Text("事项名称", "name")),
    Column("from_dept", Label(), Text("下放部门", "department it comes from")),
    Column("mode", MODES, Text("下放方式", "mode")),
    Column("effective_on", Day(), Text("生效日期", "in force from"), optional=True),
), ("item_id",), rows=Text("每个事项一行", "one row an item"),
    example=("X01", Text("农村宅基地审批", "permits for rural homesteads"), Text("农业农村局", "Agriculture and Rural Affairs"), "entrusted", "2022-05-01"))  # fmt: skip

ACCEPTED_ITEMS = Table("accepted_items", Text("事项承接表", "items taken over"), (
    _town(),
    Column("item_id", Id(), Text("事项编号", "item id")),
    Column("accepted_on", Day(), Text("承接日期", "taken over on"), optional=True),
), ("town", "item_id"), rows=Text("每个镇街、事项一行；未承接的日期留空", "one row a town and item; the day is blank where the item was not taken over"),
    covers=True,
    example=("T01", "X01", "2022-05-10"))  # fmt: skip

SERVICE_LOG = Table("service_log", Text("窗口办件台账", "log of transactions"), (
    Column("txn_id", Id(), Text("办件编号", "transaction id")),
    _town(),
    Column("centre_id", Id(), Text("中心(站)编号", "centre or station"), optional=True),
    Column("item_id", Id(), Text("事项编号", "item id"), optional=True),
    Column("accepted_at", Instant(), Text("受理时间", "accepted at")),
    Column("finished_at", Instant(), Text("办结时间", "finished at"), optional=True, after="accepted_at"),
    Column("promise_days", Whole(0, 365), Text("承诺时限", "promised time"), optional=True, unit="working days"),
    Column("visits", Whole(0, 50), Text("跑动次数", "visits"), optional=True, unit="visits"),
    Column("rating", Whole(1, 5), Text("好差评", "rating"), optional=True, unit="1-5"),
    Column("level_started", LEVELS, Text("受理层级", "level where it began"), optional=True),
    Column("level_finished", LEVELS, Text("办结层级", "level where it ended"), optional=True),
    Column("transfers", Whole(0, 50), Text("转办次数", "times passed on"), optional=True, unit="times"),
), ("txn_id",), rows=Text("每件一行", "one row a transaction"),
    example=("BJ0001", "T01", "Z01", "X01", "2022-06-01 09:10", "2022-06-02 15:00", "3", "1", "5", "town", "town", "0"))  # fmt: skip

CENTRES = Table("centres", Text("便民服务中心和站点核查表", "check of service centres and stations"), (
    Column("centre_id", Id(), Text("中心(站)编号", "centre or station")),
    _town(),
    Column("level", PLACES, Text("层级", "level")),
    Column("village_id", Id(), Text("村编号", "village id"), optional=True),
    Column("is_built", Flag(), Text("是否建成", "built")),
    Column("opened_on", Day(), Text("启用日期", "opened on"), optional=True),
    Column("checked_on", Day(), Text("核查日期", "checked on"), optional=True),
    Column("last_txn_on", Day(), Text("最近办件日期", "last transaction on"), optional=True),
    Column("has_place", Flag(), Text("有固定场所", "has a place of its own"), optional=True),
    Column("has_staff", Flag(), Text("有专职人员", "has staff of its own"), optional=True),
    Column("has_matters", Flag(), Text("有办理事项", "has matters to handle"), optional=True),
    Column("has_promise", Flag(), Text("有服务承诺", "has a service promise"), optional=True),
    Column("same_name", Flag(), Text("名称标识统一", "uniform name and sign"), optional=True),
    Column("same_layout", Flag(), Text("场所设置统一", "uniform layout"), optional=True),
    Column("same_equipment", Flag(), Text("服务设施统一", "uniform equipment"), optional=True),
    Column("same_rules", Flag(), Text("运作规范统一", "uniform working rules"), optional=True),
    Column("windows", Whole(0, 500), Text("窗口数", "windows"), optional=True, unit="windows"),
    Column("deputies", Whole(0, 500), Text("已定B岗的窗口数", "windows with a deputy"), optional=True, unit="windows"),
    Column("unmanned", Whole(0, 500), Text("核查时无人的窗口数", "windows unmanned at the check"), optional=True, unit="windows"),
), ("centre_id",), rows=Text("每个中心或站点一行", "one row a centre or station"), covers=True,
    rules=(AtMost("deputies", "windows", "deputies_above_windows"), AtMost("unmanned", "windows", "unmanned_above_windows")),
    example=("Z01", "T01", "centre", "", "1", "2022-06-01", "2023-01-05", "2022-12-30", "1", "1", "1", "1", "1", "1", "1", "1", "8", "6", "1"))  # fmt: skip

BANK_POINTS = Table("bank_points", Text("政银企协作服务点台账", "bank service points"), (
    Column("point_id", Id(), Text("服务点编号", "point id")),
    _town(),
    Column("bank", Label(), Text("银行", "bank")),
    Column("opened_on", Day(), Text("启用日期", "opened on"), optional=True),
    Column("last_loan_on", Day(), Text("最近放款日期", "last loan on"), optional=True),
    Column("loans", Whole(0), Text("放款笔数", "loans"), optional=True, unit="loans"),
    Column("days_to_loan", Number(0, 3650), Text("放款用时中位数", "median days to a loan"), optional=True, unit="days"),
    Column("days_before", Number(0, 3650), Text("设点前放款用时中位数", "median days before the point opened"), optional=True, unit="days"),
), ("point_id",), rows=Text("每个服务点一行", "one row a point"),
    example=("F01", "T01", Text("农村商业银行", "Rural Commercial Bank"), "2022-05-01", "2022-12-20", "46", "3", "7"))  # fmt: skip

AGENCIES = Table("agencies", Text("派驻机构花名册", "roster of dispatched agencies"), (
    Column("agency_id", Id(), Text("机构编号", "agency id")),
    _town(),
    Column("kind", AGENCY_KINDS, Text("类别", "kind")),
    Column("personnel_home", HOMES, Text("人事关系", "personnel kept at")),
    Column("payroll_home", HOMES, Text("工资关系", "pay kept at")),
    Column("attendance_by_town", Flag(), Text("镇街考勤", "attendance kept by the town"), optional=True),
    Column("leave_by_town", Flag(), Text("镇街批假", "leave approved by the town"), optional=True),
    Column("meetings_called", Whole(0, 1000), Text("通知参会次数", "meetings called"), optional=True, unit="meetings"),
    Column("meetings_attended", Whole(0, 1000), Text("实际参会次数", "meetings attended"), optional=True, unit="meetings"),
    Column("assessed_by_town", Flag(), Text("镇街是否考核其负责人", "head assessed by the town"), optional=True),
), ("agency_id",), rows=Text("每个派驻机构一行；一个机构只在一个镇街", "one row an agency, each in one town"), covers=True,
    rules=(OnePlace("agency_id", "town", "agency_in_two_towns"), AtMost("meetings_attended", "meetings_called", "attended_above_called")),
    example=("A001", "T01", "enforcement", "county", "county", "1", "1", "12", "9", "0"))  # fmt: skip

AGENCY_EVENTS = Table("agency_events", Text("派驻机构负责人调整台账", "changes of agency heads"), (
    Column("event_id", Id(), Text("流水号", "event id")),
    Column("agency_id", Id(), Text("机构编号", "agency id")),
    _town(),
    Column("changed_on", Day(), Text("调整日期", "changed on"), blank="no_change_date"),
    Column("consulted", CONSULTED, Text("是否征求镇街意见", "town consulted")),
    Column("consent_doc", Label(), Text("征求意见文号", "document of consent"), optional=True),
    Column("reported_on", Day(), Text("报到日期", "reported on"), optional=True, after="changed_on"),
), ("event_id",), rows=Text("每次调整一行", "one row a change"),
    example=("E001", "A001", "T01", "2022-10-08", "written", Text("甲函〔2022〕3号", "First Town 2022/3"), "2022-10-20"))  # fmt: skip

APPRAISAL_WEIGHTS = Table("appraisal_weights", Text("考核权重表", "appraisal weights"), (
    _dept(),
    Column("year", Whole(1990, 2100), Text("年度", "year")),
    Column("town_weight", Number(0, 1), Text("镇街评价权重", "weight of the towns' rating"), unit="share"),
    Column("other_weight", Number(0, 1), Text("其他部分权重", "weight of the other parts"), unit="share"),
    Column("agency_weight", Number(0, 1), Text("镇街评价占派驻机构考核权重", "weight of the town's rating for agencies"), optional=True,
           unit="share"),
), ("dept", "year"), rows=Text("每个部门、年度一行；两部分权重之和为1", "one row a department and year; the two weights add to 1"),
    rules=(SumTo(("town_weight", "other_weight"), 1, "weights_not_one"),),
    example=("K01", "2022", "0.3", "0.7", "0.4"))  # fmt: skip

APPRAISAL_SCORES = Table("appraisal_scores", Text("考核得分表", "appraisal scores"), (
    _dept(),
    Column("year", Whole(1990, 2100), Text("年度", "year")),
    Column("town_score", Number(0, 100), Text("镇街评价得分", "towns' score"), unit="points"),
    Column("other_score", Number(0, 100), Text("其他部分得分", "score of the other parts"), unit="points"),
), ("dept", "year"), rows=Text("每个部门、年度一行", "one row a department and year"),
    example=("K01", "2022", "88.5", "93"))  # fmt: skip

DUTY_LOG = Table("duty_log", Text("急难险重任务出勤台账", "log of urgent duties"), (
    Column("duty_id", Id(), Text("任务编号", "duty id")),
    Column("agency_id", Id(), Text("机构编号", "agency id")),
    Column("called_on", Day(), Text("通知日期", "called on")),
    Column("turned_up", Flag(), Text("是否到场", "turned up")),
), ("duty_id", "agency_id"), rows=Text("每次任务、每个机构一行", "one row a duty and agency"),
    example=("R001", "A001", "2022-07-12", "1"))  # fmt: skip

ACCOUNTABILITY = Table("accountability", Text("问责督导台账", "accountability log"), (
    Column("event_id", Id(), Text("流水号", "event id")),
    _dept(),
    Column("happened_on", Day(), Text("日期", "day")),
    Column("step", STEPS, Text("措施", "step")),
), ("event_id",), rows=Text("每次一行", "one row an event"),
    example=("W001", "K01", "2022-11-15", "interview"))  # fmt: skip

TABLES = {table.name: table for table in (
    TOWNS, MARGINS, VILLAGES, DEPARTMENTS, ORG_ROSTER, ORG_MAP, UNIT_CHECK, DOCUMENTS, CALLS, JOINT_CONFERENCE, NEED_COUNTS,
    QUOTA, QUOTA_MOVES, QUOTA_PLAN, ADMISSIONS, PUBLICITY, DELEGATED_ITEMS, ACCEPTED_ITEMS, SERVICE_LOG, CENTRES, BANK_POINTS,
    AGENCIES, AGENCY_EVENTS, APPRAISAL_WEIGHTS, APPRAISAL_SCORES, DUTY_LOG, ACCOUNTABILITY)}  # fmt: skip
