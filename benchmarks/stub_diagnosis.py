"""A worker plug-in: `celery -A vtox worker -I benchmarks.stub_diagnosis` does the light load.

It answers `unknown` to everything, so that a benchmark measures the transport.
"""

import workers.batch
from benchmarks.bench.light import light_batch

workers.batch.answer_batch = light_batch
