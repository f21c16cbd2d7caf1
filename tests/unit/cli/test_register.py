"""A version of a model is added."""

import json

from scurry.cli.main import main


def test_a_local_path_is_registered_as_absolute(asker, tmp_path):
    """Workers run in another directory."""
    (tmp_path / "m.onnx").touch()
    assert main(["models", "register", "m", "--uri", "m.onnx"]) == 0
    assert asker.updates[0].register.uri == str(tmp_path / "m.onnx")


def test_a_repository_gives_its_newest_version(asker, tmp_path):
    """10 is newer than 9."""
    for version in ("9", "10"):
        (tmp_path / "repo" / "m" / version).mkdir(parents=True)
    assert main(["models", "register", "m", "--uri", "repo"]) == 0
    assert asker.updates[0].register.version == "10"


def test_a_config_file_is_read_where_it_lies(asker, tmp_path, capsys):
    """It must be a JSON object."""
    (tmp_path / "c.json").write_text('{"max_batch_size": 8}')
    (tmp_path / "bad.json").write_text("[")
    assert main(["models", "register", "m", "--uri", "/m", "--config", "c.json"]) == 0
    assert json.loads(asker.updates[0].register.config) == {"max_batch_size": 8}
    assert main(["models", "register", "m", "--uri", "/m", "--config", "bad.json"]) == 1
    assert main(["models", "register", "m", "--uri", "/m", "--config", "none.json"]) == 1
    assert "bad.json is not JSON" in capsys.readouterr().err


def test_a_pool_is_part_of_the_options(asker, tmp_path, capsys):
    """Beside what the config file says; it wins over one that is named there."""
    (tmp_path / "c.json").write_text('{"max_batch_size": 8, "pool": "large"}')
    assert main(["models", "register", "m", "--uri", "/m", "--pool", "gpu"]) == 0
    assert main(["models", "register", "m", "--uri", "/m", "--config", "c.json", "--pool", "gpu"]) == 0
    assert main(["models", "register", "m", "--uri", "/m", "--config", "c.json"]) == 0
    told = [json.loads(update.register.config) for update in asker.updates]
    assert told == [{"pool": "gpu"}, {"max_batch_size": 8, "pool": "gpu"}, {"max_batch_size": 8, "pool": "large"}]
    assert main(["models", "register", "m", "--uri", "/m", "--pool", "G P U"]) == 2
    assert "--pool takes the name of a pool, not 'G P U'" in capsys.readouterr().err


def test_no_wait_returns_once_the_message_is_sent(asker, capsys):
    """With its entry, not with a state."""
    assert main(["models", "register", "m", "--uri", "/m", "--no-wait", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"model": "m", "entry": "1-1"}
