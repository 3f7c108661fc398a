"""Names for invented people: family and given names with their pinyin, and telephone numbers that nobody has."""

import random

_FAMILY = (
    "王wang 陈chen 徐xu 张zhang 李li 周zhou 吴wu 朱zhu 叶ye 俞yu 金jin 方fang 何he 沈shen 胡hu 蒋jiang 章zhang 盛sheng 钱qian "
    "孙sun 潘pan 余yu 郑zheng 郭guo 赵zhao 汪wang 姚yao 傅fu 楼lou 邵shao 洪hong 倪ni 裘qiu 骆luo 诸葛zhuge 许xu 夏xia 申屠shentu "
    "申shen 董dong 丁ding 施shi 华hua 羊yang 臧zang 童tong 詹zhan 应ying"
)
_GIVEN_OLDER = (
    "建国jianguo 国强guoqiang 志明zhiming 卫东weidong 水根shuigen 关林guanlin 法根fagen 柏松baisong 爱珍aizhen 金娣jindi "
    "月英yueying 阿毛amao 来富laifu 炳荣bingrong 樟寿zhangshou 雪娟xuejuan 宝根baogen 土生tusheng 春梅chunmei 洪良hongliang "
    "永年yongnian 忠平zhongping 秀兰xiulan 国平guoping 华明huaming 利民limin 桂花guihua 连法lianfa 荣祥rongxiang 小根xiaogen"
)
_GIVEN_YOUNGER = (
    "晓东xiaodong 丽萍liping 海燕haiyan 敏min 伟wei 俊杰junjie 雯wen 佳琪jiaqi 浩然haoran 婷婷tingting 剑锋jianfeng 立群liqun "
    "静怡jingyi 斌bin 琳lin 志远zhiyuan 晨曦chenxi 文博wenbo 思源siyuan 雅芳yafang 振宇zhenyu 慧敏huimin 旭东xudong 玲玲lingling "
    "勇yong 子涵zihan 嘉豪jiahao 诗琪shiqi 建峰jianfeng 倩倩qianqian 昊天haotian 梦洁mengjie 鹏飞pengfei 素琴suqin"
)


def _pairs(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return [("".join(c for c in word if not c.isascii()), "".join(c for c in word if c.isascii())) for word in words]


FAMILY, GIVEN_OLDER, GIVEN_YOUNGER = _pairs(_FAMILY), _pairs(_GIVEN_OLDER), _pairs(_GIVEN_YOUNGER)


class NameBook:
    """Gives out names and usernames that differ from all given out before."""

    def __init__(self, rng: random.Random) -> None:
        """Start an empty book that draws from `rng`."""
        self._rng, self._names, self._usernames = rng, set[str](), set[str]()

    def draw(self, *, older: bool = False) -> tuple[str, str]:
        """Return a new `(name, username)`; the username is the pinyin, with a number when it is taken."""
        while True:
            family, given = self._rng.choice(FAMILY), self._rng.choice(GIVEN_OLDER if older else GIVEN_YOUNGER)
            name = family[0] + given[0]
            if name not in self._names:
                break
        plain = username = family[1] + given[1]
        number = 1
        while username in self._usernames:
            number += 1
            username = f"{plain}{number}"
        self._names.add(name)
        self._usernames.add(username)
        return name, username


def fictional_phone(number: int) -> str:
    """Return the demo telephone with this number; it begins with 120, which is no mobile prefix in China."""
    return f"120{number:08d}"
