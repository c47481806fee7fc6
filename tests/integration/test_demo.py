"""make demo as its users type it: twice, after a crash, with another broker, and cleaned away."""
import subprocess

from conftest import OPDS, ROOT, WORK, Demo, alive, free_ports, wait_for


def test_after_a_crash_make_demo_goes_on_where_it_was():
    demo = Demo("crash").start()
    try:
        for name in ("gateway", "dinkes", "kafka", "registry"):
            demo.kill(name)
        status = demo.make("demo-status", check=False)
        assert status.returncode != 0 and "berhenti / stopped" in status.stdout
        demo.make("demo")
        demo.check(ROOT / "deploy/demo/truth.json")
        pids = [demo.pid(name) for name in OPDS + ["gateway", "registry", "kafka"]]
        assert all(alive(pid) for pid in pids)
        demo.make("demo-stop")
        wait_for(lambda: not any(alive(pid) for pid in pids), 5, "every program to be gone after demo-stop")
    finally:
        demo.stop()


def test_a_broker_that_is_there_is_used_and_left_alone(tmp_path):
    port = free_ports(2)
    kafka = [str(ROOT / "deploy/kafka/kafka.sh")]
    subprocess.run(kafka + ["start", str(tmp_path / "kafka"), str(port), str(port + 1)], check=True, capture_output=True)
    pid = int((tmp_path / "kafka/kafka.pid").read_text())
    demo = Demo("given", kafka="127.0.0.1:%d" % port)
    try:
        assert "(sudah ada / given)" in demo.start().output
        demo.check(ROOT / "deploy/demo/truth.json")
        assert not (demo.dir / "kafka").exists()
        demo.make("demo-stop")
        assert alive(pid)
    finally:
        demo.stop()
        subprocess.run(kafka + ["stop", str(tmp_path / "kafka")], check=True, capture_output=True)


def test_another_city_is_not_poured_into_this_one():
    demo = Demo("othercity")
    (demo.dir / "feeds.path").write_text("/somewhere/else\n")
    run = demo.make("demo", check=False)
    assert run.returncode != 0 and "/somewhere/else" in run.stderr and "demo-clean" in run.stderr


def test_demo_clean_removes_a_demo_and_nothing_else():
    demo = Demo("cleaned")
    (demo.dir / "feeds.path").write_text("x\n")
    demo.make("demo-clean")
    assert not demo.dir.exists()
    precious = WORK / "precious"
    precious.mkdir(exist_ok=True)
    (precious / "thesis.txt").write_text("mine")
    demo.env["DEMO_DIR"] = str(precious)
    run = demo.make("demo-clean", check=False)
    assert run.returncode != 0 and (precious / "thesis.txt").exists()
