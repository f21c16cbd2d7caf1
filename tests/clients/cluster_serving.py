"""What the tests have the original Cluster Serving client do, in an environment of its own.

Run by that environment's Python: `cluster_serving.py PORT WHAT [ARGUMENTS]`. The last line it prints is JSON.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from zoo.serving.client import (
    InputQueue,
    OutputQueue,
    http_json_to_ndarray,
    http_response_to_ndarray,
    httpx,
    perdict,
)

warnings.simplefilter("ignore")


def queues(port, name):
    """Both ends of a stream."""
    given = {"host": "127.0.0.1", "port": port, "name": name}
    return InputQueue(**given), OutputQueue(**given)


def awaited(output, uri, seconds=60.0):
    """The answer to an entry, which is left where it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = output.query(uri)
        if not isinstance(answer, str) or answer != "[]":
            return plain(answer)
        time.sleep(0.01)
    return "no answer"


def plain(answer):
    """An answer as JSON has it."""
    if isinstance(answer, list):
        return [plain(one) for one in answer]
    return answer.tolist() if isinstance(answer, np.ndarray) else answer


def kinds(port, picture):
    """Every method of the client, every kind of input."""
    numbers, answers = queues(port, "serving_stream")
    numbers.enqueue("dense", t=np.array([1.5, 2.0]))
    numbers.enqueue("sparse", t=[np.array([[1]]), np.array([7.0]), np.array([2])])
    numbers.enqueue("wrong", t=np.array([1.0, 2.0, 3.0]))
    numbers.enqueue("nothing")
    found = {uri: awaited(answers, uri) for uri in ("dense", "sparse", "wrong", "nothing")}
    found["again"] = plain(answers.query("dense"))
    found["and deleted"] = plain(answers.query_and_delete("dense"))
    found["gone"] = answers.query("dense")
    found["predict"] = plain(numbers.predict(np.array([3.0, 4.0])))
    found["predict json"] = plain(numbers.predict(json.dumps({"instances": [{"t": [5, 6]}]})))
    found["dequeue"] = sorted(answers.dequeue())
    large, large_answers = queues(port, "large")
    large.enqueue("large", t=np.arange(4096.0))
    answer = awaited(large_answers, "large")
    found["large"] = [len(answer), answer[-1]]
    texts, text_answers = queues(port, "texts")
    texts.enqueue("words", words=["cat", "dog", "bird"])
    found["words"] = awaited(text_answers, "words")
    pictures, picture_answers = queues(port, "pictures")
    pictures.enqueue("path", img=picture)
    pictures.enqueue("b64", img={"b64": pictures.base64_encode_image(Path(picture).read_bytes())})
    found["path"], found["b64"] = awaited(picture_answers, "path"), awaited(picture_answers, "b64")
    pair, pair_answers = queues(port, "pair")
    pair.enqueue("pair", b=np.array([1.0, 2.0]), a=np.array([10.0, 20.0]))
    found["two outputs"] = awaited(pair_answers, "pair")
    return found


def early(port):
    """Entries of two clients for whoever comes later; the second makes the group `serving` behind the first's."""
    for number in (1.0, 2.0):
        queues(port, "serving_stream")[0].enqueue(f"early {number:.0f}", t=np.array([number, 0.5]))


def front(port, url):
    """What is early is answered; the client's HTTP side, and what reads such answers."""
    _, answers = queues(port, "serving_stream")
    found = {uri: awaited(answers, uri) for uri in ("early 1", "early 2")}
    body = json.dumps({"instances": [{"t": [3.0, 4.0]}]})
    found["predict"] = InputQueue(frontend_url=url, host="127.0.0.1", port=port).predict(body)
    answer = httpx.post(f"{url}/predict", data=body)
    found["response"] = plain(http_response_to_ndarray(answer))
    found["json"] = plain(http_json_to_ndarray(answer.text))
    found["wrong"] = http_response_to_ndarray(httpx.post(f"{url}/predict", data='{"instance": []}'))
    found["perdict"] = perdict(url, body)
    return found


def load(port, count, pause, *names):
    """So many entries for several streams at a steady pace; which of them got a wrong answer, or none."""
    ends = [queues(port, name) for name in names]
    for number in range(int(count)):
        ends[number % len(ends)][0].enqueue(str(number), t=np.array([float(number), 1.0]))
        time.sleep(float(pause))
    ends = [queues(port, name) for name in names]  # which makes the group `serving` at the end of each stream
    wrong = {}
    for number in range(int(count)):
        answer = awaited(ends[number % len(ends)][1], str(number), 120.0)
        if answer != [2.0 * number, 2.0]:
            wrong[number] = answer
    return {"wrong": wrong}


if __name__ == "__main__":
    said = {"kinds": kinds, "early": early, "front": front, "load": load}[sys.argv[2]](sys.argv[1], *sys.argv[3:])
    print("\n" + json.dumps(said))
