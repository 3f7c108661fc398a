"""The waters on the open map."""


def test_everybody_gets_the_lowest_level_of_each_water_once(build, anyone):
    river, lake = build.water_body(), build.water_body(name="镜湖", kind="lake")
    build.reach(water_body=river, level="township", name="镇段")
    build.reach(water_body=river, level="village", name="村段")
    build.reach([(119.9, 29.6), (119.91, 29.6), (119.91, 29.61), (119.9, 29.6)], water_body=lake, level="county", name="湖", area=True)
    reply = anyone.get("public/waters.geojson")
    assert reply.mimetype == "application/geo+json"
    features = reply.get_json(force=True)["features"]
    assert [(row["properties"]["name"], row["geometry"]["type"]) for row in features] == [("村段", "LineString"), ("湖", "Polygon")]
    assert "max-age" in reply.headers["Cache-Control"]
