"""What a client reads of a request that was refused."""


def assert_refused(response, field, says=""):
    assert response.status_code == 400, response.content
    error = response.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    violation = error["details"][0]["fieldViolations"][0]
    assert violation["field"] == field
    assert says in violation["description"]
    assert error["message"].startswith(f"{field}: ")
