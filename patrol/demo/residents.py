"""Who lives and works in the demo district: chiefs, offices, patrollers, departments, and who is chief of what since when."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from patrol.demo.district import DISTRICT_CODE, DISTRICT_NAME
from patrol.demo.landscape import Landscape
from patrol.demo.names import NameBook, fictional_phone
from patrol.demo.registers import Appointment, Person, Reach, Region

PASSWORD = "xunhe-demo"
CHIEF_TITLES = {"county": "区级河长", "township": "镇级河长", "village": "村级河长"}
DEPARTMENTS = (
    ("water", "区水利局", "河湖管理科科长"),
    ("ecology", "市生态环境局清溪分局", "水生态环境科科长"),
    ("housing", "区住房和城乡建设局", "排水管理科科长"),
    ("agriculture", "区农业农村局", "渔政执法队队长"),
    ("natural_resources", "区自然资源局", "执法监察科科长"),
    ("transport", "区交通运输局", "港航管理科副科长"),
    ("police", "区公安分局", "治安大队副大队长、河道警长"),
    ("forestry", "区林业水产站", "站长"),
    ("urban_management", "区综合行政执法局", "市容环卫科科长"),
    ("emergency", "区应急管理局", "防汛防台科科长"),
)
TRANSFER_DAYS_AGO = {"village": (63, 17), "township": (38,)}
VACANT_DAYS_AGO = (12, 5)


@dataclass(frozen=True)
class Residents:
    """The people and appointments of the district as of the day they were made for."""

    people: tuple[Person, ...]
    appointments: tuple[Appointment, ...]

    @cached_property
    def by_username(self) -> dict[str, Person]:
        """The people by their account names."""
        return {person.username: person for person in self.people}

    @cached_property
    def _appointments_by_reach(self) -> dict[str, list[Appointment]]:
        found: dict[str, list[Appointment]] = {}
        for appointment in self.appointments:
            found.setdefault(appointment.reach_code, []).append(appointment)
        return found

    def chief_on(self, reach_code: str, day: date) -> str | None:
        """Return the username of the reach's chief on that day, or None when it had none."""
        for row in self._appointments_by_reach.get(reach_code, []):
            if row.valid_from <= day and (row.valid_to is None or day <= row.valid_to):
                return row.username
        return None

    def office_of(self, region_code: str) -> str:
        """Return the username of the office of the township that a region (township or village) belongs to."""
        town = region_code[:9]
        return next(p.username for p in self.people if p.roles == ("office",) and p.region_code == town)


def residents(land: Landscape, today: date, seed: int = 2026) -> Residents:
    """Return the people of Qingxi District (the first of `land`) and their appointments, seen from `today`."""
    return _Census(land, today, random.Random(seed)).take()  # noqa: S311 - invented people, nothing secret


class _Census:
    def __init__(self, land: Landscape, today: date, rng: random.Random) -> None:
        self._regions = [row for row in land.regions if row.code.startswith(DISTRICT_CODE)]
        self._reaches = [row for row in land.reaches if row.region_code.startswith(DISTRICT_CODE)]
        self._today, self._rng, self._book = today, rng, NameBook(rng)
        self._people: list[Person] = []
        self._appointments: list[Appointment] = []
        self._chief_village = self._village_with_most_reaches()

    def take(self) -> Residents:
        self._staff_district()
        for region in self._regions:
            if region.level == "township":
                self._staff_township(region)
            elif region.level == "village":
                self._staff_village(region)
        self._transfer_some()
        self._leave_some_vacant()
        return Residents(tuple(self._people), tuple(self._appointments))

    def _village_with_most_reaches(self) -> str:
        counts: dict[str, int] = {}
        for reach in self._reaches:
            if reach.level == "village":
                counts[reach.region_code] = counts.get(reach.region_code, 0) + 1
        return min(counts, key=lambda code: (-counts[code], code))

    def _add(self, role: str, region_code: str, title: str, *, account: str = "", department: str = "",
             older: bool = False) -> str:  # fmt: skip
        name, username = self._book.draw(older=older)
        phone = fictional_phone(len(self._people) + 1)
        person = Person(account or username, name, phone, (role,), region_code, title, department, PASSWORD)
        self._people.append(person)
        return person.username

    def _staff_district(self) -> None:
        add, code = self._add, DISTRICT_CODE
        add("admin", code, "区大数据中心系统管理员", account="admin")
        add("auditor", code, "区审计局科员", account="auditor")
        add("supervisor", code, "区治水办督查组组长", account="supervisor")
        add("supervisor", code, "区治水办督查组组员")
        add("office", code, "区河长办副主任", account="office")
        for _ in range(3):
            add("office", code, "区河长办工作人员")
        for department, bureau, title in DEPARTMENTS:
            account = "handler" if department == "water" else ""
            add("handler", code, f"{bureau}{title}", account=account, department=department)
        general = add("chief", code, "区委书记、总河长", older=True)
        chiefs = [add("chief", code, "区委副书记、区级河长", account="chief.district")]
        chiefs += [add("chief", code, f"副区长、{DISTRICT_NAME[:-1]}区级河长") for _ in range(3)]
        county = [reach for reach in self._reaches if reach.level == "county"]
        bodies = sorted({reach.water_body_code for reach in county})
        for reach in county:
            still = "L" in reach.water_body_code
            chief = general if still else chiefs[bodies.index(reach.water_body_code) % len(chiefs)]
            self._appoint(reach, chief)

    def _staff_township(self, town: Region) -> None:
        mine = self._chief_village.startswith(town.code)
        seat = town.name
        self._add("office", town.code, f"{seat}河长办主任", account="office.town" if mine else "")
        leader = "办事处主任" if seat.endswith("街道") else ("镇长" if seat.endswith("镇") else "乡长")
        chief = self._add("chief", town.code, f"{seat}{leader}", account="chief.town" if mine else "")
        self._add("chief", town.code, f"{seat}人大主席、副河长", older=True)
        self._add("patroller", town.code, f"{seat}河道专管员", account="patroller" if mine else "")
        self._add("patroller", town.code, f"{seat}巡河员", older=True)
        for reach in self._reaches_of(town):
            self._appoint(reach, chief)

    def _staff_village(self, village: Region) -> None:
        mine = village.code == self._chief_village
        chief = self._add(
            "chief", village.code, f"{village.name}党支部书记", account="chief" if mine else "", older=not mine
        )
        if self._rng.random() < 0.45:
            self._add("patroller", village.code, f"{village.name}保洁员", older=True)
        for reach in self._reaches_of(village):
            self._appoint(reach, chief)

    def _reaches_of(self, region: Region) -> list[Reach]:
        return [reach for reach in self._reaches if reach.region_code == region.code]

    def _appoint(self, reach: Reach, username: str) -> None:
        since = date(self._today.year - self._rng.randint(1, 5), self._rng.choice((1, 3, 4, 7)), 1)
        title = CHIEF_TITLES[reach.level].replace("河长", "湖长" if "L" in reach.water_body_code else "河长")
        self._appointments.append(
            Appointment(reach.code, username, title, min(since, self._today - timedelta(400)), None)
        )

    def _chiefs_to_move(self, level: str, reaches: range) -> list[str]:
        """Return the chiefs of a level without a name known to newcomers who have so many river reaches, in a fixed order."""
        ours = {reach.code: reach for reach in self._reaches if reach.level == level}
        counts: dict[str, int] = {}
        for row in self._appointments:
            if row.reach_code in ours and "." not in row.username and row.username != "chief":
                weight = 1 if "R" in row.reach_code else 100
                counts[row.username] = counts.get(row.username, 0) + weight
        return [username for username in counts if counts[username] in reaches]

    def _transfer_some(self) -> None:
        """Let a few chiefs go to another post: their reaches change hands from one day to the next."""
        for level, days in TRANSFER_DAYS_AGO.items():
            for days_ago, former in zip(days, self._chiefs_to_move(level, range(1, 6))[1::3], strict=False):
                person = next(p for p in self._people if p.username == former)
                successor = self._add("chief", person.region_code, person.title)
                self._retitle(person, f"原{person.title}（已调任）")
                first_day = self._today - timedelta(days_ago)
                for index, row in enumerate(self._appointments):
                    if row.username == former:
                        self._appointments[index] = replace(row, valid_to=first_day - timedelta(1))
                        self._appointments.append(replace(row, username=successor, valid_from=first_day))

    def _leave_some_vacant(self) -> None:
        """Let two chiefs retire without a successor, and leave one reach without a chief from the beginning."""
        moved = {row.username for row in self._appointments if row.valid_to or row.valid_from.year == self._today.year}
        single = [
            name for name in self._chiefs_to_move("village", range(1, 2)) if name not in moved and self._overlaid(name)
        ]
        for days_ago, username in zip(VACANT_DAYS_AGO, single[2::4], strict=False):
            person = next(p for p in self._people if p.username == username)
            self._retitle(person, f"原{person.title}（已退休）")
            for index, row in enumerate(self._appointments):
                if row.username == username:
                    self._appointments[index] = replace(row, valid_to=self._today - timedelta(days_ago))
        several = [
            name for name in self._chiefs_to_move("village", range(2, 3)) if name not in moved and self._overlaid(name)
        ]
        never = next(row for row in reversed(self._appointments) if row.username == several[-1])
        self._appointments.remove(never)

    def _overlaid(self, username: str) -> bool:
        """Tell whether a township reach runs along every reach of this village chief."""
        above = {(row.water_body_code, row.region_code) for row in self._reaches if row.level == "township"}
        mine = {row.reach_code for row in self._appointments if row.username == username}
        return all((row.water_body_code, row.region_code[:9]) in above for row in self._reaches if row.code in mine)

    def _retitle(self, person: Person, title: str) -> None:
        self._people[self._people.index(person)] = replace(person, title=title)
