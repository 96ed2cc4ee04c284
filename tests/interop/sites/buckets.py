"""The S3 of moto, which checks signatures, and a user of it.

Its argument is a file, into which it writes the user's access key and secret key, one in a line. It listens on a free
port of the loopback interface. It prints the port, and ends with its standard input.
"""

import os
import sys

# The number of requests that set the user up. The signature of each later request is checked.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
iam = boto3.client(
    "iam",
    endpoint_url=f"http://127.0.0.1:{port}",
    region_name="us-east-1",
    aws_access_key_id="set",
    aws_secret_access_key="up",
)
iam.create_user(UserName="ada")
policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
iam.put_user_policy(UserName="ada", PolicyName="all", PolicyDocument=policy)
key = iam.create_access_key(UserName="ada")["AccessKey"]
with open(sys.argv[1], "w") as file:
    file.write(f"{key['AccessKeyId']}\n{key['SecretAccessKey']}\n")
print(port, flush=True)
sys.stdin.read()
os._exit(0)
