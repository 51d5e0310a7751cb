# A command on every host of a list, by several allocations, each with a part of the hosts (docs/scaling.md).
#
# What has to be there first; the hosts are host expressions (docs/hosts.md), known_hosts has all of them, and the key
# has no passphrase:
#
#   nomad var put nomad/jobs/muster hosts=@hosts.txt known_hosts=@known_hosts id_ed25519=@id_ed25519
#   nomad job run -var shards=8 -var 'command=uptime' muster.nomad.hcl
#   nomad alloc logs ALLOC                                 # one JSON object a line
#
# image: built with deploy/Containerfile.

variable "shards" {
  type        = number
  default     = 8
  description = "How many allocations share the hosts."
}

variable "image" {
  type    = string
  default = "muster:latest"
}

variable "command" {
  type        = string
  default     = "uptime"
  description = "The text that sh runs on each host."
}

job "muster" {
  type = "batch"

  group "fleet" {
    # NOMAD_ALLOC_INDEX counts from 0 to count-1, as --shard does.
    count = var.shards

    # The command has run on the hosts: it is not for Nomad to run it again.
    restart {
      attempts = 0
      mode     = "fail"
    }

    reschedule {
      attempts  = 0
      unlimited = false
    }

    task "muster" {
      driver = "docker"
      # muster uses it to end what runs on the hosts.
      kill_timeout = "60s"

      config {
        image      = var.image
        entrypoint = ["tini", "--", "sh", "-euc"]
        args = [
          <<-END
          exec muster -F "$NOMAD_SECRETS_DIR/config" invoke \
              --ephemeral --shard "$NOMAD_ALLOC_INDEX/$SHARDS" --hosts "^$NOMAD_TASK_DIR/hosts" \
              --throttle-limit 256 --timeout 10m --output jsonl --shell "$COMMAND"
          END
        ]
      }

      env {
        SHARDS  = var.shards
        COMMAND = var.command
      }

      template {
        destination = "local/hosts"
        data        = "{{ with nomadVar \"nomad/jobs/muster\" }}{{ .hosts }}{{ end }}\n"
      }

      template {
        destination = "local/known_hosts"
        data        = "{{ with nomadVar \"nomad/jobs/muster\" }}{{ .known_hosts }}{{ end }}\n"
      }

      # The uid and gid of the user in the image.
      template {
        destination = "secrets/id_ed25519"
        perms       = "0400"
        uid         = 10001
        gid         = 10001
        data        = "{{ with nomadVar \"nomad/jobs/muster\" }}{{ .id_ed25519 }}{{ end }}\n"
      }

      template {
        destination = "secrets/config"
        data        = <<-END
        Host *
            User root
            IdentityFile {{ env "NOMAD_SECRETS_DIR" }}/id_ed25519
            IdentitiesOnly yes
            UserKnownHostsFile {{ env "NOMAD_TASK_DIR" }}/known_hosts
            StrictHostKeyChecking yes
        END
      }

      resources {
        cpu    = 1000
        memory = 512
      }
    }
  }
}
