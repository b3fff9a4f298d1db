"""What invented papers print around an article: their names, people, towns, subheadings and set phrases."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """The set phrases of one language; those with braces are filled by `str.format`, empty ones are not in use."""

    papers: list[str]
    sections: list[str]
    names: list[str]
    towns: list[str]
    institutes: list[str]
    headings: list[str]
    captions: list[str]
    numbers: list[str]
    marked: list[str]
    affiliations: list[str]
    reporter: str
    author: str
    dateline: str
    report: str
    source: str
    editor: str
    between: str
    and_: str
    heads: list[str]


_HANS = Phrases(
    papers=[
        "临渚日报",
        "潮声周刊",
        "云岭晚报",
        "北湾商报",
        "芦河观察",
        "江州青年报",
        "青禾学刊",
        "渡口文汇",
        "山城导报",
        "白杨镇报",
    ],
    sections=["要闻", "民生", "理论", "副刊", "城市", "乡村", "文化", "读者", "专题", "评论"],
    names=[
        "沈予安",
        "陆知微",
        "何一苇",
        "温以宁",
        "顾长河",
        "苏见山",
        "潘叙",
        "林晚",
        "周砚",
        "许青禾",
        "贺兰舟",
        "孟春",
        "钟离",
        "白鹿鸣",
        "江远帆",
        "叶知秋",
        "欧阳溪",
        "司徒远",
        "宋野",
        "方小圆",
        "程听雪",
        "梁渡",
        "石磊磊",
        "秦观澜",
    ],
    towns=["临渚", "云岭", "北湾", "江州", "青禾", "枫坪", "南津", "石梁", "白杨", "桐溪", "鹿鸣", "潮口"],
    institutes=[
        "临渚大学城市规划系",
        "芦河流域水环境研究中心",
        "云岭市交通发展研究院",
        "枫坪县农业技术推广站",
        "江州图书馆学会",
        "北湾海洋与渔业研究所",
        "青禾乡村建设学院",
        "山城公共服务评价中心",
        "潮口港口经济研究会（筹）",
        "石梁林业科学研究所",
        "南津师范学院地方文化研究中心",
        "丘陵果树研究会",
        "白杨镇地方志编纂办公室",
        "桐溪手工艺保护与发展研究基地",
    ],
    headings=[
        "先把家底摸清",
        "老手艺遇上新办法",
        "慢下来的理由",
        "一条河的两种走法",
        "把路修到门口",
        "谁来守着这盏灯",
        "从一张图纸开始",
        "不算小账算大账",
        "年轻人回来了",
        "把时间还给读者",
        "雨季之前",
        "看得见的变化",
        "还差最后一公里",
        "留住一方水土",
        "小店不小",
        "听得见的意见",
        "边走边改",
        "为难处想办法",
        "三年磨一渠",
        "守住底线 放开手脚",
        "让数据多跑路",
        "从“有没有”到“好不好”",
        "不止于一座桥",
        "旧厂房的新房客",
        "天亮以前出发",
        "把课堂搬上山",
    ],
    captions=[
        "图为渡船驶离码头。",
        "图为读者在夜间阅览室。",
        "图为果农在老园里换枝。",
        "图为支线小巴驶过盘山路。",
        "图为修复后的石桥。",
        "图为集市清晨开市。",
        "图为志愿者清理河岸。",
        "图为孩子们在潮间带上课。",
    ],
    numbers=["一、", "二、", "三、"],
    marked=["◎ {}", "□ {}", "■ {}", "文/{}", "（{}）"],
    affiliations=[
        "（作者单位：{}）",
        "【作者系{}研究员】",
        "（作者系{}副主任）",
        "（作者为{}特约撰稿人）",
        "［作者单位：{}］",
    ],
    reporter="本报记者 {}",
    author="作者：{}",
    dateline="本报{town}{month}月{day}日电（记者 {names}）",
    report="本报讯（记者 {names}）",
    source="来源：{paper} {date}",
    editor="（责任编辑：{}）",
    between=" ",
    and_=" ",
    heads=[
        "{paper}　{y}年{m}月{d}日　第{n}版",
        "{paper} {y}年{m}月{d}日",
        "第{n}版　{section}　{y}年{m}月{d}日　{paper}",
    ],
)

_HANT = Phrases(
    papers=["青嶼週報", "南津晚報", "石滬新聞", "東港日報", "山海評論"],
    sections=["要聞", "地方", "文化", "副刊", "論壇"],
    names=["藍千尋", "葉小滿", "范若水", "白允中", "鄭海生", "蕭雨", "黃葉舟", "歐陽遠", "簡靜", "羅望"],
    towns=["青嶼", "南津", "東港", "鹿埔", "石岡"],
    institutes=["青嶼海洋文化館", "南津大學地理學系", "東港漁業試驗站", "山海社區營造學會"],
    headings=[
        "潮水來的時候",
        "把路留給步行的人",
        "老屋的新主人",
        "從一盞燈說起",
        "記得的人",
        "風向之外",
        "慢工",
        "一座島的帳本",
    ],
    captions=["圖為退潮後的石滬。", "圖為河堤上的放映隊。", "圖為修復中的老屋。"],
    numbers=["一、", "二、", "三、"],
    marked=["◎ {}", "□ {}", "文／{}"],
    affiliations=["（作者單位：{}）", "【作者係{}研究員】", "（作者為{}講師）"],
    reporter="本報記者 {}",
    author="作者：{}",
    dateline="【本報{town}{month}月{day}日電】（記者 {names}）",
    report="本報訊（記者 {names}）",
    source="來源：{paper} {date}",
    editor="（責任編輯：{}）",
    between="　",
    and_=" ",
    heads=["{paper}　{y}年{m}月{d}日　第{n}版", "{paper} {y}年{m}月{d}日"],
)

_EN = Phrases(
    papers=["Coldharbour Courier", "The Harrowmere Review", "Linden Valley Gazette", "Journal of Small Waters"],
    sections=["City", "Letters", "Weekend", "Research"],
    names=["Maud Ellery", "Tobias Wren", "Ines Calloway", "Peter Ashdown", "Nora Quill", "Samuel Okoro"],
    towns=["Coldharbour", "Harrowmere", "Linden", "Saltby"],
    institutes=["the Harrowmere Institute of Water", "Saltby School of Planning", "the Linden Valley Museum"],
    headings=[
        "What the Records Say",
        "A Slower Road",
        "The Cost of Keeping",
        "Methods and Material",
        "Who Minds the Gate",
        "After the Flood",
    ],
    captions=["The harbour terminus at midnight.", "A keeper clears the outlet in spring."],
    numbers=["1. ", "2. ", "3. "],
    marked=["By {}", "Text: {}"],
    affiliations=["(The author works at {}.)", "[The author is a fellow of {}.]"],
    reporter="By {}",
    author="By {}",
    dateline="",
    report="",
    source="Source: {paper} {date}",
    editor="Editor: {}",
    between=" / ",
    and_=" and ",
    heads=["{paper}   {y}-{m:02d}-{d:02d}   Page {n}", "{paper} — {y}-{m:02d}-{d:02d}"],
)

#: The phrases by language.
PHRASES: dict[str, Phrases] = {"zh-Hans": _HANS, "zh-Hant": _HANT, "en": _EN}
