"""litserve with one ONNX model: litserve_app.py MODEL.onnx PORT THREADS

One sample a request, {"x": [numbers]}, answered by {"y": [numbers]}; litserve gathers up to 32 of them.
"""

import sys

import litserve
import numpy as np
import onnxruntime


class Model(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(sys.argv[3])
        self.session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])

    def decode_request(self, request, **_):
        return np.asarray(request["x"], dtype=np.float32)

    def batch(self, inputs):
        return np.stack(inputs)

    def predict(self, x, **_):
        return self.session.run(None, {"x": x})[0]

    def unbatch(self, output):
        return list(output)

    def encode_response(self, output, **_):
        return {"y": output.tolist()}


if __name__ == "__main__":
    # The fastest of what was tried with 8 clients: batch_timeout 0.05, 0.5, 2 and 5 ms, one and two workers, both queues.
    api = Model(max_batch_size=32, batch_timeout=0.005)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", generate_client_file=False, access_log=False)
