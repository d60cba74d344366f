let pv uuid : Xenctrl.domctl_create_config =
  {
    ssidref = 0l;
    handle = uuid;
    flags = [];
    iommu_opts = [];
    max_vcpus = 1;
    max_evtchn_port = -1;
    max_grant_frames = -1;
    max_maptrack_frames = -1;
    max_grant_version = 1;
    altp2m_opts = 0l;
    vmtrace_buf_kb = 0l;
    cpupool_id = 0l;
    arch = X86 { emulation_flags = []; misc_flags = [] };
  }

let least uuid = { (pv uuid) with max_grant_frames = 1; max_maptrack_frames = 1 }

let hvm uuid emulation_flags =
  {
    (pv uuid) with
    flags = [ CDF_HVM; CDF_HAP ];
    arch = X86 { emulation_flags; misc_flags = [] };
  }
