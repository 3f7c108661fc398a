from patrol.people.departments import DEPARTMENTS


def test_every_department_has_its_own_code_and_both_names():
    assert set(DEPARTMENTS) == {
        "water", "ecology", "housing", "agriculture", "natural_resources",
        "transport", "police", "forestry", "urban_management", "emergency",
    }  # fmt: skip
    assert len({department.name for department in DEPARTMENTS.values()}) == len(DEPARTMENTS)
    assert all(code == row.code and row.name.zh and row.name.en.isascii() for code, row in DEPARTMENTS.items())
